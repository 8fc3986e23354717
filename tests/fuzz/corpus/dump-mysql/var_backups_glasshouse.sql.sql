/*M!999999\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: glasshouse
-- ------------------------------------------------------
-- Server version	10.11.19-MariaDB-0+deb12u1

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;
/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
/*!40101 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

--
-- Temporary table structure for view `busy_members`
--

DROP TABLE IF EXISTS `busy_members`;
/*!50001 DROP VIEW IF EXISTS `busy_members`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `busy_members` AS SELECT
 NULL AS `uid`,
 NULL AS `nick`,
 NULL AS `fetched` */;
SET character_set_client = @saved_cs_client;

--
-- Table structure for table `deposit_wallets`
--

DROP TABLE IF EXISTS `deposit_wallets`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `deposit_wallets` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `owner` int(10) unsigned NOT NULL,
  `btc_addr` varchar(90) NOT NULL,
  `made` int(10) unsigned NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `btc_addr` (`btc_addr`),
  KEY `wallet_owner` (`owner`),
  CONSTRAINT `wallet_owner` FOREIGN KEY (`owner`) REFERENCES `users` (`uid`)
) ENGINE=InnoDB AUTO_INCREMENT=241 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `deposit_wallets`
--
-- ORDER BY:  `id`

LOCK TABLES `deposit_wallets` WRITE;
/*!40000 ALTER TABLE `deposit_wallets` DISABLE KEYS */;
INSERT INTO `deposit_wallets` VALUES
(1,1,'bcrt1qwlh22rrynlccwm8kd7cayfgd8ptmmtd9j58l3d',1473240450),
(2,2,'2NFR55kuVjt6SFmGr6sSpHtSeaupHaRzrPR',1498008003),
(3,3,'bcrt1puk6xf5q63x33m5089qshvl2ye0xggtpt7d7x7867ugt0qyplckpsx8jf3f',1458899790);
/*!40000 ALTER TABLE `deposit_wallets` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `downloads`
--

DROP TABLE IF EXISTS `downloads`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `downloads` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `user_id` int(10) unsigned NOT NULL,
  `upload_id` int(10) unsigned DEFAULT NULL,
  `file_path` varchar(255) NOT NULL,
  `fetched` int(10) unsigned NOT NULL,
  `remote_addr` varchar(45) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `download_user` (`user_id`),
  KEY `download_upload` (`upload_id`),
  CONSTRAINT `download_upload` FOREIGN KEY (`upload_id`) REFERENCES `uploads` (`id`),
  CONSTRAINT `download_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`uid`)
) ENGINE=InnoDB AUTO_INCREMENT=239 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `downloads`
--
-- ORDER BY:  `id`

LOCK TABLES `downloads` WRITE;
/*!40000 ALTER TABLE `downloads` DISABLE KEYS */;
INSERT INTO `downloads` VALUES
(1,185,109,'/media/11/f71013602e06.png',1464532954,'192.0.2.27'),
(2,185,80,'/media/10/86e00292874e.jpg',1465427419,'192.0.2.27'),
(3,185,202,'/media/09/e7a37814d975.tif',1467593486,'192.0.2.27');
/*!40000 ALTER TABLE `downloads` ENABLE KEYS */;
UNLOCK TABLES;
/*!50003 SET @saved_cs_client      = @@character_set_client */ ;
/*!50003 SET @saved_cs_results     = @@character_set_results */ ;
/*!50003 SET @saved_col_connection = @@collation_connection */ ;
/*!50003 SET character_set_client  = utf8mb4 */ ;
/*!50003 SET character_set_results = utf8mb4 */ ;
/*!50003 SET collation_connection  = utf8mb4_general_ci */ ;
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;
/*!50003 SET sql_mode              = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION' */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER keep_path BEFORE INSERT ON downloads FOR EACH ROW
BEGIN
  IF NEW.file_path = '' THEN
    SET NEW.file_path = (SELECT file_path FROM uploads WHERE id = NEW.upload_id); -- ; not the end
  END IF;
END 
*/;;
DELIMITER ;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;
/*!50003 SET character_set_client  = @saved_cs_client */ ;
/*!50003 SET character_set_results = @saved_cs_results */ ;
/*!50003 SET collation_connection  = @saved_col_connection */ ;

--
-- Table structure for table `login_history`
--

DROP TABLE IF EXISTS `login_history`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `login_history` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `uid` int(10) unsigned NOT NULL,
  `seen` datetime NOT NULL,
  `ip` varchar(45) NOT NULL,
  `browser` varchar(255) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `seen` (`seen`),
  KEY `login_user` (`uid`),
  CONSTRAINT `login_user` FOREIGN KEY (`uid`) REFERENCES `users` (`uid`)
) ENGINE=InnoDB AUTO_INCREMENT=719 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `login_history`
--
-- ORDER BY:  `id`

LOCK TABLES `login_history` WRITE;
/*!40000 ALTER TABLE `login_history` DISABLE KEYS */;
INSERT INTO `login_history` VALUES
(1,31,'2016-04-25 00:13:39','192.0.2.172','Mozilla/5.0 (compatible; \"quoted\\agent\")'),
(2,17,'2016-05-08 15:03:13','192.0.2.142','Mozilla/5.0 (compatible; \"quoted\\agent\")'),
(3,31,'2016-05-20 04:10:26','203.0.113.87','Mozilla/5.0 (compatible; \"quoted\\agent\")');
INSERT INTO `login_history` VALUES
(346,130,'2017-10-06 02:56:39','203.0.113.223','Mozilla/5.0 (compatible; \"quoted\\agent\")'),
(347,38,'2017-10-06 09:39:50','192.0.2.126','Mozilla/5.0 (Windows NT 6.1; rv:52.0) Gecko/20100101 Firefox/52.0'),
(348,222,'2017-10-06 19:54:22','198.51.100.155','Mozilla/5.0 (X11; Linux x86_64; rv:45.0) Gecko/20100101 Firefox/45.0');
INSERT INTO `login_history` VALUES
(685,8,'2018-02-15 09:36:21','192.0.2.221','Mozilla/5.0 (compatible; \"quoted\\agent\")'),
(686,79,'2018-02-15 09:36:28','203.0.113.223','Mozilla/5.0 (compatible; \"quoted\\agent\")'),
(687,119,'2018-02-15 15:04:24','203.0.113.243','Mozilla/5.0 (Windows NT 6.1; rv:52.0) Gecko/20100101 Firefox/52.0');
/*!40000 ALTER TABLE `login_history` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `messages`
--

DROP TABLE IF EXISTS `messages`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `messages` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `sender` int(10) unsigned NOT NULL,
  `reader` int(10) unsigned NOT NULL,
  `body` text NOT NULL,
  `attachment` blob DEFAULT NULL,
  `sent` datetime NOT NULL,
  PRIMARY KEY (`id`),
  KEY `message_sender` (`sender`),
  KEY `message_reader` (`reader`),
  CONSTRAINT `message_reader` FOREIGN KEY (`reader`) REFERENCES `users` (`uid`),
  CONSTRAINT `message_sender` FOREIGN KEY (`sender`) REFERENCES `users` (`uid`)
) ENGINE=InnoDB AUTO_INCREMENT=64 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `messages`
--
-- ORDER BY:  `id`

LOCK TABLES `messages` WRITE;
/*!40000 ALTER TABLE `messages` DISABLE KEYS */;
INSERT INTO `messages` VALUES
(1,1,2,'Is the scan of the blue vase complete?','\0\r\Z\'4AN[huÇèú©∂√–›Í˜+8ER_lyÜì†≠∫«‘·Ó˚','2017-06-21 01:20:01'),
(2,6,9,'It\'s sold; \"no\" returns.',NULL,'2017-12-05 23:34:35'),
(3,11,16,'a,b),(c;d -- not a comment',NULL,'2017-04-15 21:48:16');
/*!40000 ALTER TABLE `messages` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `settings`
--

DROP TABLE IF EXISTS `settings`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `settings` (
  `name` varchar(40) NOT NULL,
  `value` blob DEFAULT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `settings`
--
-- ORDER BY:  `name`

LOCK TABLES `settings` WRITE;
/*!40000 ALTER TABLE `settings` DISABLE KEYS */;
INSERT INTO `settings` VALUES
('fee_percent','4'),
('motto','Old things, new walls; it\'s \"art\" \\ trade'),
('salt','\0	\n\r\Z !\"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»… ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ');
/*!40000 ALTER TABLE `settings` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `topups`
--

DROP TABLE IF EXISTS `topups`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `topups` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `uid` int(10) unsigned NOT NULL,
  `coin_amount` decimal(16,8) NOT NULL,
  `tx_hash` char(64) DEFAULT NULL,
  `booked` int(10) unsigned NOT NULL,
  `remark` varchar(40) NOT NULL,
  PRIMARY KEY (`id`),
  KEY `topup_user` (`uid`),
  CONSTRAINT `topup_user` FOREIGN KEY (`uid`) REFERENCES `users` (`uid`)
) ENGINE=InnoDB AUTO_INCREMENT=70 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `topups`
--
-- ORDER BY:  `id`

LOCK TABLES `topups` WRITE;
/*!40000 ALTER TABLE `topups` DISABLE KEYS */;
INSERT INTO `topups` VALUES
(1,185,0.02900687,'5dd70a9999ca3144e9a2296c4a18ce0ab5a0d88c4269065b38ce3a0fb276316e',1460463600,'deposit'),
(2,140,0.17800528,'f79953180888cdbc1c2f716c4049b0b984f9afee6f4df71fd9a65a4065162821',1460550000,'deposit'),
(3,165,0.26000290,'fb4c4f222843af9ef9aa11d1f7f305e21580492de74b0f696321904de5f50283',1461414000,'deposit');
/*!40000 ALTER TABLE `topups` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `uploads`
--

DROP TABLE IF EXISTS `uploads`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `uploads` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `user_id` int(10) unsigned NOT NULL,
  `file_path` varchar(255) NOT NULL,
  `sha` char(64) DEFAULT NULL,
  `md5` char(32) DEFAULT NULL,
  `title` varchar(255) DEFAULT NULL,
  `added` datetime NOT NULL,
  `remote_addr` varchar(45) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `upload_user` (`user_id`),
  CONSTRAINT `upload_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`uid`) ON DELETE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=225 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `uploads`
--
-- ORDER BY:  `id`

LOCK TABLES `uploads` WRITE;
/*!40000 ALTER TABLE `uploads` DISABLE KEYS */;
INSERT INTO `uploads` VALUES
(1,60,'/media/12/f5dd557ab491.jpg','d2b931de686ef27b47730946e75178841dde74a2e17234d373a97c7ef93da806','80fe491cec26a6551b59f6de489e2d99','Scan no. 76','2016-07-10 05:32:05','198.51.100.52'),
(2,60,'/media/03/e9fce34a74e4.jpg','a4d66c51b75a5a6d92e2d59d6b292b98e12ed29d684c88e7507aea50b529e1de','81bf375fce486fbbf1ee723c41f83670','Scan no. 195','2016-07-31 21:48:38','198.51.100.52'),
(3,60,'/media/10/de677da1d250.jpg','0fb6765b389286a0b3cfeafa4888611513ed68a7400427557cb28e7df1913fc0','912975f28f19607802f9205da1e22832','Scan no. 106','2016-08-18 12:32:57','198.51.100.52');
INSERT INTO `uploads` VALUES
(178,10,'/media/09/0acfc13d630d.jpg','624f205a3b3a23af4dbfcda388c003a7f55c7c94c1c4c8d183cd148453fc7dbd','8c8edbb33449de3af2545147a6d32eed','Scan no. 89','2018-01-06 05:22:42','203.0.113.211'),
(179,25,'/media/09/31cb3ed97a0e.jpeg','78cdb95fb0b553c4d1fe95426e03c78cf57eb960e117691c38c0883cd47608bb','69adb92ffe8d2700345b1592f5a341a9','Scan no. 25','2018-01-06 11:45:09','203.0.113.142'),
(180,10,'/media/06/7f1a154c8669.JPG','1b094bcf67985e00c34a959965f8a60cc15bbbaa16e7ce64630f29172707bafe','affcf1080be91d009a45c2ec1b835923','Scan no. 134','2018-01-10 01:15:30','203.0.113.211');
/*!40000 ALTER TABLE `uploads` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `users`
--

DROP TABLE IF EXISTS `users`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `users` (
  `uid` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `nick` varchar(255) NOT NULL COMMENT 'shown; don''t trim',
  `mail` varchar(190) DEFAULT NULL,
  `secret` varbinary(60) NOT NULL,
  `joined` datetime NOT NULL,
  `join_ip` varchar(45) DEFAULT NULL,
  `muted` bit(1) NOT NULL DEFAULT b'0',
  PRIMARY KEY (`uid`),
  UNIQUE KEY `nick` (`nick`)
) ENGINE=InnoDB AUTO_INCREMENT=241 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `users`
--
-- ORDER BY:  `uid`

LOCK TABLES `users` WRITE;
/*!40000 ALTER TABLE `users` DISABLE KEYS */;
INSERT INTO `users` VALUES
(1,'ember_plinth1','ember_plinth1@example.org','%0Qà’8±@Â†qXUhë–%ê®\0\'\"\\\n\Z','2016-09-07 09:27:28','203.0.113.254','\0'),
(2,'kiln_torso2','kiln_torso2@example.net','JUv≠˙]÷e\n≈ñ}zç∂ıJµ6Õ\0\'\"\\\n\Z','2017-06-21 01:20:01','203.0.113.108','\0'),
(3,'ochre_archivist3','ochre_archivist3@mail.example','ozõ“Ç˚ä/Íª¢ü≤€\Zo⁄[Ú\0\'\"\\\n\Z','2016-03-25 09:56:28','198.51.100.70','\0');
/*!40000 ALTER TABLE `users` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Final view structure for view `busy_members`
--

/*!50001 DROP VIEW IF EXISTS `busy_members`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `busy_members` AS select `u`.`uid` AS `uid`,`u`.`nick` AS `nick`,count(`d`.`id`) AS `fetched` from (`users` `u` join `downloads` `d` on(`d`.`user_id` = `u`.`uid`)) group by `u`.`uid`,`u`.`nick` */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed
