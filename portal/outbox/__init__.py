"""What do we still have to tell the outside? Messages written in the transaction of their cause, sent afterwards."""
