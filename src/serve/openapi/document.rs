//! The OpenAPI document as text, and what requests are checked against: the methods and query parameters of each path.

use std::collections::HashMap;

use axum::http::Method;
use serde_json::Value;
use utoipa::openapi::OpenApi;

use super::exact;

/// The OpenAPI document.
pub(in crate::serve) struct Document {
    text: String,
    /// By path, as the router writes it, the methods with the names of their query parameters.
    operations: HashMap<String, Vec<(String, Vec<String>)>>,
}

impl Document {
    /// The document of `openapi`, completed with what Rust types cannot say.
    ///
    /// # Errors
    /// Only if it cannot be written as JSON.
    pub(in crate::serve) fn new(openapi: &OpenApi) -> Result<Self, serde_json::Error> {
        let mut document = serde_json::to_value(openapi)?;
        exact::complete(&mut document);
        let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
        let operations = paths.map(|(path, operations)| (path.clone(), operations_of(operations))).collect();
        Ok(Self { text: serde_json::to_string_pretty(&document)? + "\n", operations })
    }

    /// Indented JSON with a final line feed.
    pub(in crate::serve) fn text(&self) -> &str {
        &self.text
    }

    /// The names of the query parameters of an endpoint; none if there is no such endpoint.
    pub(in crate::serve) fn parameters(&self, method: &Method, path: &str) -> Option<&[String]> {
        // HEAD is GET without the body.
        let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
        let (_, names) = self.operations.get(path)?.iter().find(|(known, _)| known == method)?;
        Some(names)
    }

    /// Method and path of every endpoint.
    #[cfg(test)]
    pub(in crate::serve) fn all(&self) -> impl Iterator<Item = (String, String)> {
        self.operations
            .iter()
            .flat_map(|(path, methods)| methods.iter().map(|(method, _)| (method.clone(), path.clone())))
    }

    /// The methods of a path; none if there is no such path.
    pub(in crate::serve) fn methods(&self, path: &str) -> impl Iterator<Item = &str> {
        self.operations.get(path).into_iter().flatten().map(|(method, _)| method.as_str())
    }
}

fn operations_of(operations: &Value) -> Vec<(String, Vec<String>)> {
    let operations = operations.as_object().into_iter().flatten();
    operations.map(|(method, operation)| (method.to_uppercase(), query_names(operation))).collect()
}

fn query_names(operation: &Value) -> Vec<String> {
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let in_query = parameters.filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some("query"));
    in_query.filter_map(|parameter| parameter.get("name").and_then(Value::as_str)).map(str::to_owned).collect()
}
