"""The one `lightly` command. Each subcommand's module is loaded only when it is called."""
