-- The tables of Platewatch, the same on both instances (MySQL 5.7 or MariaDB 10.x). Load it as root on each instance
-- itself, never through MyCat. Loading it again changes nothing.

SET NAMES utf8mb4;

CREATE DATABASE IF NOT EXISTS traffic_db DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
USE traffic_db;

-- One row per passage. kkmc decides the instance, and so never changes; id is GCXH. Texts are compared byte by byte
-- (utf8mb4_bin), as Platewatch compares them: a collation that ignores case would take two passages for one.
CREATE TABLE IF NOT EXISTS traffic_data (
  id     VARCHAR(64)  NOT NULL COMMENT 'GCXH, passage id',
  xzqhmc VARCHAR(128) NOT NULL COMMENT 'XZQHMC, district',
  kkmc   VARCHAR(255) NOT NULL COMMENT 'KKMC, checkpoint; the shard key',
  fxlx   VARCHAR(32)  NOT NULL COMMENT 'FXLX, direction',
  gcsj   DATETIME     NOT NULL COMMENT 'GCSJ, passage time, civil time of the road',
  hpzl   VARCHAR(16)  NOT NULL COMMENT 'HPZL, plate type (GA 24.7)',
  hphm   VARCHAR(64)  NOT NULL COMMENT 'HPHM, plate number; - if none was read',
  clppxh VARCHAR(255) NOT NULL COMMENT 'CLPPXH, brand and model',
  PRIMARY KEY (id),
  INDEX idx_gcsj (gcsj)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT = 'passages';

-- One row per alert, all on the first instance (MyCat's dn1); the other instance's table stays empty. body is the alert's
-- JSON, as in alerts.jsonl.
CREATE TABLE IF NOT EXISTS traffic_alerts (
  id          VARCHAR(16)  NOT NULL COMMENT 'of the alert: 16 hexadecimal digits',
  seq         BIGINT       NOT NULL COMMENT 'number in the data directory, from 1',
  hphm        VARCHAR(64)  NOT NULL COMMENT 'HPHM, plate number',
  prev_kkmc   VARCHAR(255) NOT NULL COMMENT 'checkpoint of the earlier sighting',
  curr_kkmc   VARCHAR(255) NOT NULL COMMENT 'checkpoint of the later sighting',
  prev_time   DATETIME     NOT NULL COMMENT 'time of the earlier sighting',
  curr_time   DATETIME     NOT NULL COMMENT 'time of the later sighting',
  gap_seconds BIGINT       NOT NULL COMMENT 'seconds between them',
  distance_km DOUBLE           NULL COMMENT 'great circle',
  speed_kmh   DOUBLE           NULL COMMENT 'that one car would have needed',
  severity    VARCHAR(16)  NOT NULL COMMENT 'high, medium, low',
  rule        VARCHAR(16)  NOT NULL COMMENT 'window, speed',
  cause       VARCHAR(16)      NULL COMMENT 'likeliest explanation',
  probability DOUBLE           NULL COMMENT 'that two cars wear the plate, 0 to 1',
  body        MEDIUMTEXT   NOT NULL COMMENT 'the whole alert as JSON',
  PRIMARY KEY (id),
  INDEX idx_curr_time (curr_time)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT = 'alerts';

-- One row per case (a plate that two cars are likely to wear), all on the first instance. A row is replaced as the case
-- changes, and by work on it; version grows with each change, so that an older state never takes the place of a newer one.
CREATE TABLE IF NOT EXISTS traffic_cases (
  id             VARCHAR(16) NOT NULL COMMENT 'of the case: 16 hexadecimal digits',
  seq            BIGINT      NOT NULL COMMENT 'number in the data directory, from 1',
  hphm           VARCHAR(64) NOT NULL COMMENT 'HPHM, plate number',
  probability    DOUBLE      NOT NULL COMMENT 'that two cars wear the plate, 0 to 1',
  cause          VARCHAR(16) NOT NULL COMMENT 'likeliest explanation',
  contradictions BIGINT      NOT NULL COMMENT 'how many there were',
  first_time     DATETIME    NOT NULL COMMENT 'of the first contradiction',
  last_time      DATETIME    NOT NULL COMMENT 'of the newest contradiction',
  opened_at      DATETIME    NOT NULL COMMENT 'when it was opened',
  status         VARCHAR(16) NOT NULL COMMENT 'work: new, investigating, confirmed, dismissed',
  kkmcs          MEDIUMTEXT  NOT NULL COMMENT 'checkpoints of its contradictions, a line each',
  brief          MEDIUMTEXT  NOT NULL COMMENT 'the case in brief as JSON',
  body           MEDIUMTEXT  NOT NULL COMMENT 'the whole case and the work on it as JSON',
  version        BIGINT      NOT NULL COMMENT 'grows with each change',
  PRIMARY KEY (id),
  INDEX idx_last_time (last_time)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT = 'cases';

-- The checkpoints: MyCat's global table, complete on each instance. `platewatch import-checkpoints` fills it.
CREATE TABLE IF NOT EXISTS kkmc_info (
  code    VARCHAR(128) NOT NULL COMMENT 'short code',
  kkmc    VARCHAR(255) NOT NULL COMMENT 'full name',
  label   VARCHAR(128) NOT NULL COMMENT 'short name for people',
  xzqhmc  VARCHAR(128) NOT NULL COMMENT 'district',
  road    VARCHAR(64)  NOT NULL COMMENT 'road, such as S250',
  lon     DOUBLE           NULL COMMENT 'degrees east',
  lat     DOUBLE           NULL COMMENT 'degrees north',
  sort_no INT          NOT NULL COMMENT 'place in the list, from 1',
  PRIMARY KEY (code),
  UNIQUE INDEX idx_kkmc (kkmc)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT = 'checkpoints';
