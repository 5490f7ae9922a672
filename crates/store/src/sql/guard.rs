//! Lets statements through that only read.

use datafusion::sql::{
    parser::{DFParser, Statement},
    sqlparser::ast::Statement as Sql,
};

use super::QueryError;

/// Reads one statement, and refuses it where it does not only read.
pub(super) fn read_only_statement(sql: &str) -> Result<Statement, QueryError> {
    let statements =
        DFParser::parse_sql(sql).map_err(|error| QueryError::Syntax { message: first_line(&error.to_string()) })?;
    let count = statements.len();
    let mut statements: Vec<Statement> = statements.into_iter().collect();
    let (Some(statement), 1) = (statements.pop(), count) else { return Err(QueryError::NotOneStatement { count }) };
    if only_reads(&statement) {
        return Ok(statement);
    }
    let words: Vec<&str> = sql.split_whitespace().take(3).collect();
    Err(QueryError::NotAllowed { statement: words.join(" ") })
}

fn only_reads(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(statement) => matches!(
            statement.as_ref(),
            Sql::Query(_)
                | Sql::Explain { .. }
                | Sql::ExplainTable { .. }
                | Sql::ShowTables { .. }
                | Sql::ShowColumns { .. }
        ),
        Statement::Explain(explain) => only_reads(&explain.statement),
        _ => false,
    }
}

fn first_line(text: &str) -> String {
    let text = text.strip_prefix("SQL error: ").unwrap_or(text);
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_allowed() {
        for sql in [
            "SELECT 1",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "VALUES (1)",
            "EXPLAIN SELECT 1",
            "EXPLAIN ANALYZE SELECT 1",
            "SHOW TABLES",
            "DESCRIBE inference",
        ] {
            assert!(read_only_statement(sql).is_ok(), "{sql}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for sql in [
            "CREATE TABLE t AS SELECT 1",
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
            "COPY (SELECT 1) TO 'x.csv'",
            "INSERT INTO inference VALUES (1)",
            "DELETE FROM inference",
            "DROP TABLE inference",
            "SET datafusion.execution.batch_size = 1",
            "EXPLAIN DELETE FROM inference WHERE true; SELECT 1",
        ] {
            assert!(read_only_statement(sql).is_err(), "{sql}");
        }
        insta::assert_snapshot!(
            read_only_statement("DROP TABLE inference").unwrap_err(),
            @"`DROP TABLE inference` is not allowed: SQL is read-only here; SELECT, WITH, VALUES, EXPLAIN, DESCRIBE and SHOW TABLES are allowed"
        );
        insta::assert_snapshot!(read_only_statement("SELECT 1; SELECT 2").unwrap_err(), @"2 statements were given, and one is taken: send them one by one");
    }
}
