-- MySQL dump 10.13  Distrib 8.0
/*!40101 SET NAMES utf8mb4 */;
CREATE TABLE `users` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `name` varchar(80) DEFAULT NULL COMMENT 'a; b',
  `raw` blob, `t` datetime,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO `users` VALUES (1,'anna',0xDEADBEEF,'2026-01-02 03:04:05'),(2,'it\'s; -- x',_binary 'q',NULL);
INSERT INTO `users` (`id`,`name`) VALUES (3,'z'),(4,NULL);
