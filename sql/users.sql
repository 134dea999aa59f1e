-- The accounts, with the least rights that do. setup-instances.sh loads it. By hand: as root on each instance, in one
-- session, after
--   SET @platewatch_password = '…', @reader_password = '…', @mycat_password = '…';
-- where ' and \ are written twice. Without them it fails: CONCAT of a missing password is NULL, which is no statement.
-- Loading it again sets the passwords anew. No account may change a table's form, delete a passage or see another database.

-- The statements are put together because neither server takes a variable for a password. MySQL 5.7 and MariaDB give
-- these accounts mysql_native_password, which is what MyCat 1.6 speaks.

-- platewatch: the writer, where Platewatch is configured with the two instances themselves.
SET @statement = CONCAT('CREATE USER IF NOT EXISTS ''platewatch''@''%'' IDENTIFIED BY ', QUOTE(NULLIF(@platewatch_password, '')));
PREPARE making FROM @statement;
EXECUTE making;
SET @statement = CONCAT('ALTER USER ''platewatch''@''%'' IDENTIFIED BY ', QUOTE(@platewatch_password));
PREPARE making FROM @statement;
EXECUTE making;
GRANT SELECT, INSERT, UPDATE ON traffic_db.traffic_data TO 'platewatch'@'%';
GRANT SELECT, INSERT, UPDATE ON traffic_db.traffic_alerts TO 'platewatch'@'%';
GRANT SELECT, INSERT, UPDATE ON traffic_db.traffic_cases TO 'platewatch'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON traffic_db.kkmc_info TO 'platewatch'@'%';

-- platewatch_reader: for role = "api" with the two instances themselves.
SET @statement = CONCAT('CREATE USER IF NOT EXISTS ''platewatch_reader''@''%'' IDENTIFIED BY ', QUOTE(NULLIF(@reader_password, '')));
PREPARE making FROM @statement;
EXECUTE making;
SET @statement = CONCAT('ALTER USER ''platewatch_reader''@''%'' IDENTIFIED BY ', QUOTE(@reader_password));
PREPARE making FROM @statement;
EXECUTE making;
GRANT SELECT ON traffic_db.traffic_data TO 'platewatch_reader'@'%';
GRANT SELECT ON traffic_db.traffic_alerts TO 'platewatch_reader'@'%';
GRANT SELECT ON traffic_db.traffic_cases TO 'platewatch_reader'@'%';
GRANT SELECT ON traffic_db.kkmc_info TO 'platewatch_reader'@'%';

-- mycat: what MyCat itself uses; it has to write for Platewatch and to read for everybody.
SET @statement = CONCAT('CREATE USER IF NOT EXISTS ''mycat''@''%'' IDENTIFIED BY ', QUOTE(NULLIF(@mycat_password, '')));
PREPARE making FROM @statement;
EXECUTE making;
SET @statement = CONCAT('ALTER USER ''mycat''@''%'' IDENTIFIED BY ', QUOTE(@mycat_password));
PREPARE making FROM @statement;
EXECUTE making;
GRANT SELECT, INSERT, UPDATE ON traffic_db.traffic_data TO 'mycat'@'%';
GRANT SELECT, INSERT, UPDATE ON traffic_db.traffic_alerts TO 'mycat'@'%';
GRANT SELECT, INSERT, UPDATE ON traffic_db.traffic_cases TO 'mycat'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON traffic_db.kkmc_info TO 'mycat'@'%';

DEALLOCATE PREPARE making;
SET @statement = NULL;
