-- MySQL dump 10.13  Distrib 8.0.33, for Linux (x86_64)
/*!40101 SET NAMES latin1 */;
/*!50503 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `users`;
CREATE TABLE `users` (
  `id` int unsigned NOT NULL AUTO_INCREMENT COMMENT 'a ; b',
  `name` varchar(64) CHARACTER SET latin1 DEFAULT 'x''y',
  `mail` varchar(64) GENERATED ALWAYS AS (lower(`name`)) STORED,
  `raw` binary(16) DEFAULT NULL, `flag` bit(1), `t` timestamp NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`), KEY `k` (`name`(10)), CONSTRAINT `c` CHECK (`id` > 0)
) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 /*!50100 PARTITION BY KEY (id) PARTITIONS 2 */;
LOCK TABLES `users` WRITE;
INSERT INTO `users` (`id`,`name`,`raw`,`flag`,`t`) VALUES (1,'Zürich\'s \0\Z\n',0x00FF,b'1','2018-11-03 04:05:06'),(2,NULL,_binary 'a\'b','\0',NULL),(3,x'41',-1.5e3,TRUE,'0000-00-00');
INSERT IGNORE INTO users VALUES (4,"a""b",'', 0,'2020-02-30') ON DUPLICATE KEY UPDATE id=id;
REPLACE INTO `users` SELECT 1;
UNLOCK TABLES;
DELIMITER ;;
CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW BEGIN SET @a = ';'; END ;;
DELIMITER ;
/*M!999999\- enable the sandbox mode */
-- Dump completed on 2018-11-03
