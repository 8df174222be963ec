"""Takes commands from the chat: checks that the chat signed each, now and for the first time, and passes it on."""
