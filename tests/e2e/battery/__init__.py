"""Every public method of every published client, called at least once with its result asserted.

Runs inside the environment of a client: nothing but the standard library and what that client
itself needs may be imported. `main.run` is called by a script of `test_client_battery.py`.
"""
