//! Types.

use super::Printer;
use monomove_format::SignatureToken;

impl Printer<'_> {
    pub(super) fn type_(&mut self, token: &SignatureToken) {
        self.type_at(token, 1);
    }

    fn type_at(&mut self, token: &SignatureToken, depth: usize) {
        use SignatureToken as T;
        if depth > T::MAX_NESTING || self.out.is_full() {
            return self.out.unknown();
        }
        let depth = depth + 1;
        match token {
            T::Bool => self.out.push("bool"),
            T::U8 => self.out.push("u8"),
            T::U16 => self.out.push("u16"),
            T::U32 => self.out.push("u32"),
            T::U64 => self.out.push("u64"),
            T::U128 => self.out.push("u128"),
            T::U256 => self.out.push("u256"),
            T::I8 => self.out.push("i8"),
            T::I16 => self.out.push("i16"),
            T::I32 => self.out.push("i32"),
            T::I64 => self.out.push("i64"),
            T::I128 => self.out.push("i128"),
            T::I256 => self.out.push("i256"),
            T::Address => self.out.push("address"),
            T::Signer => self.out.push("signer"),
            T::Vector(element) => {
                self.out.push("vector<");
                self.type_at(element, depth);
                self.out.push(">");
            }
            T::Reference(target) => {
                self.out.push("&");
                self.inner_type(target, depth);
            }
            T::MutableReference(target) => {
                self.out.push("&mut ");
                self.inner_type(target, depth);
            }
            T::Function(parameters, results, abilities) => {
                self.out.push("|");
                self.list(", ", parameters, |p, token| p.inner_type(token, depth));
                self.out.push("|");
                match &results[..] {
                    [] => {}
                    [one] => self.inner_type(one, depth),
                    several => {
                        self.out.push("(");
                        self.list(", ", several, |p, token| p.inner_type(token, depth));
                        self.out.push(")");
                    }
                }
                self.abilities(" has ", *abilities);
            }
            T::Struct(handle) | T::StructInstantiation(handle, _) => {
                match self.view.struct_handle(*handle) {
                    Some(handle) => self.struct_type(handle),
                    None => self.out.unknown(),
                }
                if let T::StructInstantiation(_, arguments) = token {
                    self.out.push("<");
                    self.list(", ", arguments, |p, token| p.type_at(token, depth));
                    self.out.push(">");
                }
            }
            T::TypeParameter(index) => {
                let index = usize::from(*index);
                if index < self.type_parameters {
                    self.type_parameter(index);
                } else {
                    self.out.push(&format!("#{index}"));
                }
            }
        }
    }

    /// A type behind `&` or inside `|…|`: there a function type stands between parentheses.
    fn inner_type(&mut self, token: &SignatureToken, depth: usize) {
        if matches!(token, SignatureToken::Function(..)) {
            self.out.push("(");
            self.type_at(token, depth);
            self.out.push(")");
        } else {
            self.type_at(token, depth);
        }
    }
}
