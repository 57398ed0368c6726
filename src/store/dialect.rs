//! What databases write differently: an insert that meets a row that is already there, and which index is to be used.
//!
//! All other statements of the store are the same text everywhere: `?` for values, no functions beyond `COALESCE`, `NULLIF`
//! and `SUBSTR`, times as integers, ids as text.

/// A way of writing SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `SQLite`'s.
    Sqlite,
    /// That of `MySQL` and `MariaDB`.
    MySql,
}

/// What becomes of a column whose row is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// It stays.
    Keep,
    /// It is replaced.
    Replace,
    /// It stays unless it is NULL.
    FillNull,
    /// It stays unless it is the empty text.
    FillEmpty,
    /// The smaller of the two stays; what is not NULL where one is.
    Least,
    /// Likewise the greater.
    Greatest,
    /// What is not NULL replaces it as long as that other column is NULL; after that it stays unless it is NULL. The other
    /// column must come later in the list.
    NewestUntil(&'static str),
    /// It is replaced as long as that other column is NULL. The other column must come later in the list, as `MySQL`
    /// assigns from left to right and sees what it has assigned.
    UnlessSet(&'static str),
}

/// A table that is written by upserts.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its primary key; these columns are also in `columns`.
    pub key: &'static [&'static str],
    /// Its columns, in the order their values are bound.
    pub columns: &'static [(&'static str, Merge)],
}

impl Dialect {
    /// The statement that inserts a row of `table`, or merges it into the one that is there.
    pub fn upsert(self, table: &Table) -> String {
        let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        let marks = vec!["?"; names.len()].join(", ");
        let merges: Vec<String> = table
            .columns
            .iter()
            .filter_map(|(name, merge)| self.merged(table, name, *merge))
            .collect();
        let conflict = match self {
            Self::Sqlite if merges.is_empty() => {
                format!("ON CONFLICT ({}) DO NOTHING", table.key.join(", "))
            }
            Self::Sqlite => format!(
                "ON CONFLICT ({}) DO UPDATE SET {}",
                table.key.join(", "),
                merges.join(", ")
            ),
            // An assignment that changes nothing: `INSERT IGNORE` would hide other errors as well.
            Self::MySql if merges.is_empty() => {
                let column = table.key.first().copied().unwrap_or_default();
                format!("ON DUPLICATE KEY UPDATE {column} = {}.{column}", table.name)
            }
            Self::MySql => format!("ON DUPLICATE KEY UPDATE {}", merges.join(", ")),
        };
        format!(
            "INSERT INTO {} ({}) VALUES ({marks}) {conflict}",
            table.name,
            names.join(", ")
        )
    }

    /// The time now, in milliseconds since 1970, with a mark for the caller's own. Several machines ask a server, whose clocks may
    /// not agree: there its own counts.
    pub fn now(self) -> &'static str {
        match self {
            Self::Sqlite => "?",
            Self::MySql => {
                "COALESCE(CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) / 1000 AS SIGNED INTEGER), ?)"
            }
        }
    }

    /// What stands behind a table's name where an index is to be used whatever the database thinks.
    pub fn by_index(self, index: &str) -> String {
        match self {
            Self::Sqlite => format!(" INDEXED BY {index}"),
            Self::MySql => format!(" FORCE INDEX ({index})"),
        }
    }

    fn merged(self, table: &Table, column: &str, merge: Merge) -> Option<String> {
        let old = format!("{}.{column}", table.name);
        let new = match self {
            Self::Sqlite => format!("excluded.{column}"),
            Self::MySql => format!("VALUES({column})"),
        };
        let value = match merge {
            Merge::Keep => return None,
            Merge::Replace => new,
            Merge::FillNull => format!("COALESCE({old}, {new})"),
            Merge::FillEmpty => format!("COALESCE(NULLIF({old}, ''), {new})"),
            Merge::Least => {
                format!("CASE WHEN {old} <= {new} THEN {old} ELSE COALESCE({new}, {old}) END")
            }
            Merge::Greatest => {
                format!("CASE WHEN {old} >= {new} THEN {old} ELSE COALESCE({new}, {old}) END")
            }
            Merge::NewestUntil(other) => format!(
                "CASE WHEN {}.{other} IS NULL THEN COALESCE({new}, {old}) ELSE COALESCE({old}, {new}) END",
                table.name
            ),
            Merge::UnlessSet(other) => {
                format!(
                    "CASE WHEN {}.{other} IS NULL THEN {new} ELSE {old} END",
                    table.name
                )
            }
        };
        Some(format!("{column} = {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table = Table {
        name: "t",
        key: &["a", "b"],
        columns: &[
            ("a", Merge::Keep),
            ("b", Merge::Keep),
            ("c", Merge::FillEmpty),
            ("d", Merge::UnlessSet("e")),
            ("e", Merge::FillNull),
            ("f", Merge::Replace),
            ("g", Merge::Least),
            ("h", Merge::Greatest),
        ],
    };

    #[test]
    fn only_the_conflict_clause_differs() {
        insta::assert_snapshot!(Dialect::Sqlite.upsert(&TABLE), @"INSERT INTO t (a, b, c, d, e, f, g, h) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (a, b) DO UPDATE SET c = COALESCE(NULLIF(t.c, ''), excluded.c), d = CASE WHEN t.e IS NULL THEN excluded.d ELSE t.d END, e = COALESCE(t.e, excluded.e), f = excluded.f, g = CASE WHEN t.g <= excluded.g THEN t.g ELSE COALESCE(excluded.g, t.g) END, h = CASE WHEN t.h >= excluded.h THEN t.h ELSE COALESCE(excluded.h, t.h) END");
        insta::assert_snapshot!(Dialect::MySql.upsert(&TABLE), @"INSERT INTO t (a, b, c, d, e, f, g, h) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE c = COALESCE(NULLIF(t.c, ''), VALUES(c)), d = CASE WHEN t.e IS NULL THEN VALUES(d) ELSE t.d END, e = COALESCE(t.e, VALUES(e)), f = VALUES(f), g = CASE WHEN t.g <= VALUES(g) THEN t.g ELSE COALESCE(VALUES(g), t.g) END, h = CASE WHEN t.h >= VALUES(h) THEN t.h ELSE COALESCE(VALUES(h), t.h) END");
    }

    #[test]
    fn a_table_of_facts_ignores_what_it_knows() {
        let table = Table {
            columns: &[("a", Merge::Keep), ("b", Merge::Keep)],
            ..TABLE
        };
        insta::assert_snapshot!(Dialect::Sqlite.upsert(&table), @"INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT (a, b) DO NOTHING");
        insta::assert_snapshot!(Dialect::MySql.upsert(&table), @"INSERT INTO t (a, b) VALUES (?, ?) ON DUPLICATE KEY UPDATE a = t.a");
    }

    #[test]
    fn what_decides_about_a_column_is_assigned_after_it() {
        for table in [super::super::rows::EXECUTIONS, TABLE] {
            for (at, (name, merge)) in table.columns.iter().enumerate() {
                if let Merge::UnlessSet(other) | Merge::NewestUntil(other) = merge {
                    let decides = table.columns.iter().position(|(n, _)| n == other);
                    assert!(decides.is_some_and(|d| d > at), "{name} before {other}");
                }
            }
        }
    }
}
