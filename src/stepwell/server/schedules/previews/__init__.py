"""When schedules will be due, and how long their runs take."""
