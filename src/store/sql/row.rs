//! A row of executions, which has more columns than a tuple can be read from.

use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use crate::store::rows::{ExecutionRow, FirstColumns};

impl<'r, R> FromRow<'r, R> for ExecutionRow
where
    R: Row,
    FirstColumns: FromRow<'r, R>,
    usize: ColumnIndex<R>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self {
            first: FirstColumns::from_row(row)?,
            used: [
                row.try_get(16)?,
                row.try_get(17)?,
                row.try_get(18)?,
                row.try_get(19)?,
            ],
        })
    }
}
