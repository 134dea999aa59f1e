-- Copy this to passwords.sql, readable by you alone, and write passwords of your own; users.sql takes them from here.
-- A password is a SQL text: double a quote (') and a backslash (\).
SET @platewatch_password = 'change me';
SET @reader_password = 'change me';
SET @mycat_password = 'change me';
