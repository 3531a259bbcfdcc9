-- Locks of rows and not of the gaps between them, and a fresh sight with each statement.
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
