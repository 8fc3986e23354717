-- The database of the invented market. Reads nothing; makes the tables that seizure_database.py fills.
-- Column names are a web developer's, not ours: the tool has to find out by itself what they hold.
CREATE DATABASE glasshouse CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
USE glasshouse;
CREATE TABLE settings (
  name VARCHAR(40) NOT NULL PRIMARY KEY,
  value BLOB
) ENGINE=InnoDB;
CREATE TABLE users (
  uid INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  nick VARCHAR(255) NOT NULL COMMENT 'shown; don''t trim',
  mail VARCHAR(190) DEFAULT NULL,
  secret VARBINARY(60) NOT NULL,
  joined DATETIME NOT NULL,
  join_ip VARCHAR(45) DEFAULT NULL,
  muted BIT(1) NOT NULL DEFAULT b'0',
  UNIQUE KEY nick (nick)
) ENGINE=InnoDB;
CREATE TABLE deposit_wallets (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  owner INT UNSIGNED NOT NULL,
  btc_addr VARCHAR(90) NOT NULL,
  made INT UNSIGNED NOT NULL,
  UNIQUE KEY btc_addr (btc_addr),
  CONSTRAINT wallet_owner FOREIGN KEY (owner) REFERENCES users (uid)
) ENGINE=InnoDB;
CREATE TABLE topups (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  uid INT UNSIGNED NOT NULL,
  coin_amount DECIMAL(16,8) NOT NULL,
  tx_hash CHAR(64) DEFAULT NULL,
  booked INT UNSIGNED NOT NULL,
  remark VARCHAR(40) NOT NULL,
  CONSTRAINT topup_user FOREIGN KEY (uid) REFERENCES users (uid)
) ENGINE=InnoDB;
CREATE TABLE login_history (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  uid INT UNSIGNED NOT NULL,
  seen DATETIME NOT NULL,
  ip VARCHAR(45) NOT NULL,
  browser VARCHAR(255) DEFAULT NULL,
  KEY seen (seen),
  CONSTRAINT login_user FOREIGN KEY (uid) REFERENCES users (uid)
) ENGINE=InnoDB;
CREATE TABLE uploads (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id INT UNSIGNED NOT NULL,
  file_path VARCHAR(255) NOT NULL,
  sha CHAR(64) DEFAULT NULL,
  md5 CHAR(32) DEFAULT NULL,
  title VARCHAR(255) DEFAULT NULL,
  added DATETIME NOT NULL,
  remote_addr VARCHAR(45) DEFAULT NULL,
  CONSTRAINT upload_user FOREIGN KEY (user_id) REFERENCES users (uid) ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE TABLE downloads (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id INT UNSIGNED NOT NULL,
  upload_id INT UNSIGNED DEFAULT NULL,
  file_path VARCHAR(255) NOT NULL,
  fetched INT UNSIGNED NOT NULL,
  remote_addr VARCHAR(45) DEFAULT NULL,
  CONSTRAINT download_user FOREIGN KEY (user_id) REFERENCES users (uid),
  CONSTRAINT download_upload FOREIGN KEY (upload_id) REFERENCES uploads (id)
) ENGINE=InnoDB;
CREATE TABLE messages (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  sender INT UNSIGNED NOT NULL,
  reader INT UNSIGNED NOT NULL,
  body TEXT NOT NULL,
  attachment BLOB,
  sent DATETIME NOT NULL,
  CONSTRAINT message_sender FOREIGN KEY (sender) REFERENCES users (uid),
  CONSTRAINT message_reader FOREIGN KEY (reader) REFERENCES users (uid)
) ENGINE=InnoDB;
-- after the rows
CREATE VIEW busy_members AS
  SELECT u.uid, u.nick, COUNT(d.id) AS fetched FROM users u JOIN downloads d ON d.user_id = u.uid GROUP BY u.uid, u.nick;
DELIMITER $$
CREATE TRIGGER keep_path BEFORE INSERT ON downloads FOR EACH ROW
BEGIN
  IF NEW.file_path = '' THEN
    SET NEW.file_path = (SELECT file_path FROM uploads WHERE id = NEW.upload_id); -- ; not the end
  END IF;
END$$
DELIMITER ;
