//! Whether MyCat passes texts on unchanged, checked without writing anything.
//!
//! With `checkSQLschema="true"` MyCat strips its schema's name from statements, inside values too. Then rows arrive
//! changed, and some on the wrong instance. A SELECT of such a text comes back changed.

use super::error::MysqlError;
use super::literal::push_text;
use super::pool::MysqlPool;
use super::session::{Kind, discard};

/// What was found at an address that is fit for use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// MySQL or MariaDB itself.
    Instance,
    /// MyCat and its dataNodes, whose instances all answer.
    Mycat(Vec<String>),
}

impl MysqlPool {
    /// Whether what is written there arrives as it was sent: the modes of all instances, and what MyCat does to texts.
    /// Changes nothing.
    ///
    /// # Errors
    /// [`MysqlError`]; [`MysqlError::Unfit`] says what to set.
    pub async fn check_fitness(&self) -> Result<Fit, MysqlError> {
        let (session, _) = self.session().await?;
        if let Err(unfit) = session.admits("", true) {
            discard(session.connection);
            return Err(unfit);
        }
        self.give_back(session);
        if self.endpoint.kind() == Some(Kind::Instance) {
            return Ok(Fit::Instance);
        }
        self.all_answer(std::time::Instant::now()).await?;
        for text in self.schema_texts() {
            let mut question = "SELECT ".to_owned();
            push_text(&mut question, &text);
            question.push_str(" AS probe");
            let rows = self.rows(&question).await?;
            let echoed = rows.into_iter().next().and_then(|row| mysql_async::from_row_opt::<String>(row).ok());
            if echoed.as_deref() != Some(&text) {
                return Err(MysqlError::Unfit(format!(
                    "MyCat changes texts on their way: {text:?} comes back as {:?}. Its schema.xml has \
                     checkSQLschema=\"true\", with which values are changed and rows go to the wrong instance: set it to \
                     \"false\" and restart MyCat, then compare what was written before with verify-mirror",
                    echoed.unwrap_or_default()
                )));
            }
        }
        Ok(Fit::Mycat(self.endpoint.nodes().to_vec()))
    }

    /// Texts with the schema's name in them: alone, after a quote, in lower case.
    fn schema_texts(&self) -> [String; 3] {
        let schema = self.endpoint.database().unwrap_or("MYETCDB");
        [format!("{schema}.x"), format!("it's {schema}.x"), format!("x {}.y 'z'", schema.to_lowercase())]
    }
}
