//! Evaluates the template for given parameters as CloudFormation does: decides conditions and
//! replaces references to parameters. Other references stay as they are.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub(crate) struct Resolver<'a> {
    template: &'a Value,
    parameters: BTreeMap<&'a str, String>,
}

impl<'a> Resolver<'a> {
    /// Parameters that are not in `given` have their defaults.
    pub(crate) fn new(template: &'a Value, given: &[(&'a str, &str)]) -> Self {
        let mut parameters = BTreeMap::new();
        for (name, parameter) in template["Parameters"].as_object().unwrap() {
            let default = &parameter["Default"];
            let text = default
                .as_str()
                .map_or_else(|| default.to_string(), str::to_owned);
            parameters.insert(name.as_str(), text);
        }
        for (name, value) in given {
            assert!(
                parameters.insert(name, (*value).to_owned()).is_some(),
                "there is no parameter {name}"
            );
        }
        Self {
            template,
            parameters,
        }
    }

    /// Whether the template's rules accept the parameters.
    pub(crate) fn is_accepted(&self) -> bool {
        self.template["Rules"]
            .as_object()
            .unwrap()
            .values()
            .all(|rule| {
                let applies = rule
                    .get("RuleCondition")
                    .is_none_or(|condition| self.holds(condition));
                !applies
                    || rule["Assertions"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .all(|assertion| self.holds(&assertion["Assert"]))
            })
    }

    pub(crate) fn resolved(&self, value: &Value) -> Value {
        self.resolve(value).unwrap_or(Value::Null)
    }

    /// `None` if CloudFormation omits the value.
    fn resolve(&self, value: &Value) -> Option<Value> {
        let fields = match value {
            Value::Array(items) => {
                return Some(items.iter().filter_map(|item| self.resolve(item)).collect());
            }
            Value::Object(fields) => fields,
            other => return Some(other.clone()),
        };
        if let Some(name) = fields.get("Ref").and_then(Value::as_str) {
            return match self.parameters.get(name) {
                _ if name == "AWS::NoValue" => None,
                Some(text) => Some(json!(text)),
                None => Some(value.clone()),
            };
        }
        if let Some(text) = fields.get("Fn::Sub").and_then(Value::as_str) {
            let all = self.parameters.iter();
            return Some(
                all.fold(text.to_owned(), |text, (name, with)| {
                    text.replace(&format!("${{{name}}}"), with)
                })
                .into(),
            );
        }
        if let Some(choice) = fields.get("Fn::If") {
            let holds = self.holds(&json!({ "Condition": choice[0] }));
            return self.resolve(&choice[if holds { 1 } else { 2 }]);
        }
        let resolved = fields
            .iter()
            .filter_map(|(name, field)| Some((name.clone(), self.resolve(field)?)));
        Some(Value::Object(resolved.collect::<Map<_, _>>()))
    }

    fn holds(&self, condition: &Value) -> bool {
        let (function, arguments) = condition.as_object().unwrap().iter().next().unwrap();
        let mut all = arguments.as_array().into_iter().flatten();
        match function.as_str() {
            "Condition" => self.holds(&self.template["Conditions"][arguments.as_str().unwrap()]),
            "Fn::Not" => !self.holds(&arguments[0]),
            "Fn::And" => all.all(|one| self.holds(one)),
            "Fn::Or" => all.any(|one| self.holds(one)),
            "Fn::Equals" => {
                let text = |value: &Value| {
                    let value = self.resolved(value);
                    value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned)
                };
                text(&arguments[0]) == text(&arguments[1])
            }
            other => panic!("{other} is not a supported condition function"),
        }
    }
}
