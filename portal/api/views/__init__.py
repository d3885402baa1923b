"""What can be asked of the API, one file per noun: parse, authorise, call one operation or query, render."""
