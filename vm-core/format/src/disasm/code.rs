//! The body of a function as text: locals, blocks with labels, instructions with offsets.

use super::instruction::Instruction;
use super::item;
use super::names::Names;
use super::text::BoundedText;
use crate::{CodeOffset, CodeUnit, FunctionDefinitionIndex};
use std::fmt::{self, Write};

/// The body of one function.
pub(super) struct CodeListing<'a> {
    names: Names<'a>,
    function: FunctionDefinitionIndex,
    parameters: usize,
    unit: &'a CodeUnit,
    /// Branch targets in order, with the numbers of their labels.
    labels: Vec<(CodeOffset, usize)>,
}

impl<'a> CodeListing<'a> {
    pub(super) fn new(
        names: Names<'a>,
        function: FunctionDefinitionIndex,
        parameters: usize,
        unit: &'a CodeUnit,
    ) -> Self {
        let mut targets: Vec<CodeOffset> = unit
            .code
            .iter()
            .filter_map(|instruction| instruction.branch_target())
            .collect();
        targets.sort_unstable();
        targets.dedup();
        Self {
            names,
            function,
            parameters,
            unit,
            labels: targets.into_iter().zip(0..).collect(),
        }
    }

    pub(super) fn write(&self, out: &mut BoundedText) -> fmt::Result {
        match self.names.signature(self.unit.locals) {
            None => writeln!(out, "    // locals: ?signature[{}]", self.unit.locals)?,
            Some(signature) => {
                for (i, token) in signature.0.iter().enumerate() {
                    write!(out, "    local l{}: ", self.parameters.saturating_add(i))?;
                    self.names.token(out, token)?;
                    out.write_str("\n")?;
                }
            }
        }
        let mut labels = self.labels.iter().peekable();
        for (offset, instruction) in (0..=CodeOffset::MAX).zip(&self.unit.code) {
            if let Some((_, label)) = labels.next_if(|label| label.0 == offset) {
                writeln!(out, "  L{label}:")?;
            }
            let instruction = Instruction::new(self.names, instruction)
                .in_function(self.parameters, &self.labels);
            // Printed apart, so that one endless instruction does not cut the listing.
            let text = item(|out| instruction.write(out));
            out.link(self.function, offset);
            writeln!(out, "    {offset:>4}: {text}")?;
        }
        Ok(())
    }
}
