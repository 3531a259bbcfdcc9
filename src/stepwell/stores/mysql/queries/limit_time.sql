-- In the words of each server: MariaDB ends any statement and an idle transaction,
-- MySQL ends statements that only read.
SET SESSION innodb_lock_wait_timeout = 10
    /*M! , max_statement_time = %(seconds)s, idle_transaction_timeout = %(whole)s */
    /*!80000 , max_execution_time = %(milliseconds)s */
