"""From the configuration of a selection and the data of a dataset to strategies of the engine.

`planning.plan_selection` is the way in, for the server and the worker alike. Where the data come
from is up to whoever implements `inputs.SelectionInputs`.
"""
