-- What may differ from server to server. A session that is silent in a transaction, because
-- its process was paused or its machine is gone, must not hold its locks for ever.
SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    time_zone = '+00:00',
    innodb_lock_wait_timeout = 10
    /*M! , idle_transaction_timeout = 30 */
    /*!80000 , wait_timeout = 60 */
