-- The daily clean-up: passages older than 3 days go, alerts and cases older than 90 days. Load it as root on each instance after schema.sql. Loading it again
-- replaces the event. For the scheduler to run after a restart too, set event_scheduler = ON in the server's own
-- configuration (instance.cnf does).

SET NAMES utf8mb4;
-- gcsj is civil time of the road. An event keeps the zone in which it was made, so that NOW() below is the road's time
-- whatever the server's zone is.
SET time_zone = '+08:00';
USE traffic_db;

DROP EVENT IF EXISTS auto_clean_traffic;

DELIMITER //
-- In pieces: one large delete would hold its locks for minutes, in front of everything that is being written.
CREATE EVENT auto_clean_traffic
  ON SCHEDULE EVERY 1 DAY STARTS (CURRENT_DATE + INTERVAL 1 DAY + INTERVAL 3 HOUR)
  ON COMPLETION PRESERVE
  ENABLE
  COMMENT 'passages older than 3 days, alerts and cases older than 90'
  DO
  BEGIN
    DECLARE deleted INT DEFAULT 1;
    DECLARE oldest_kept DATETIME DEFAULT NOW() - INTERVAL 3 DAY;
    DECLARE oldest_record DATETIME DEFAULT NOW() - INTERVAL 90 DAY;
    WHILE deleted > 0 DO
      DELETE FROM traffic_data WHERE gcsj < oldest_kept ORDER BY gcsj LIMIT 10000;
      SET deleted = ROW_COUNT();
    END WHILE;
    SET deleted = 1;
    WHILE deleted > 0 DO
      DELETE FROM traffic_alerts WHERE curr_time < oldest_record ORDER BY curr_time LIMIT 10000;
      SET deleted = ROW_COUNT();
    END WHILE;
    SET deleted = 1;
    WHILE deleted > 0 DO
      DELETE FROM traffic_cases WHERE last_time < oldest_record ORDER BY last_time LIMIT 1000;
      SET deleted = ROW_COUNT();
    END WHILE;
  END//
DELIMITER ;

SET GLOBAL event_scheduler = ON;
