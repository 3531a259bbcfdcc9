SELECT GET_LOCK(CONCAT('stepwell_migrate.', LEFT(DATABASE(), 40)), 60)
