"""Does what people of the chat ask for, each under the name that the configuration knows them by, and answers them.

What is done so rests on this code, not on IAM: requests carry ``through: chat``, and approvals lie among the deeds under
``chat:<name>`` in place of a session's id.
"""
