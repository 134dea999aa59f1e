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
