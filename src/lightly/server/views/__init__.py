"""Views of the explore page that people saved, and the short links to them."""
