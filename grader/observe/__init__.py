"""Puts a submission and the cases through the sandbox, and brings back typed observations.

`plan` lists the steps, `observe` runs them, `examination` asks all further questions. What runs
in the submission's process stands in `child`; its reports are validated in `replies`.
"""
