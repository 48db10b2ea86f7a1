//! What the verifier allows: limits as data, and the features that are on.

/// Limits and features of the verifier (verifier spec §1). `None` is no limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VerifierConfig {
    /// Loops inside each other, in one function.
    pub max_loop_depth: Option<usize>,
    /// Type parameters of a struct or function.
    pub max_type_parameters: Option<usize>,
    /// Parameters of a function or function type.
    pub max_function_parameters: Option<usize>,
    /// Results of a function or function type.
    pub max_function_return_values: Option<usize>,
    /// Weight of a type: 4 for a struct or type parameter, 1 for anything else in it.
    pub max_type_nodes: Option<usize>,
    /// Nesting of a type.
    pub max_type_depth: Option<usize>,
    /// Basic blocks of a function.
    pub max_basic_blocks: Option<usize>,
    /// Basic blocks of a script.
    pub max_basic_blocks_in_script: Option<usize>,
    /// Values on the operand stack within a basic block.
    pub max_value_stack_size: usize,
    /// Values pushed within a basic block.
    pub max_push_size: Option<usize>,
    /// Structs and enums that a module defines.
    pub max_struct_definitions: Option<usize>,
    /// Fields of a struct or variant.
    pub max_fields_in_struct: Option<usize>,
    /// Variants of an enum.
    pub max_struct_variants: Option<usize>,
    /// Functions that a module defines.
    pub max_function_definitions: Option<usize>,
    /// Back edges in the control flow of a function.
    pub max_back_edges_per_function: Option<usize>,
    /// Back edges in the control flow of all functions of a module.
    pub max_back_edges_per_module: Option<usize>,
    /// Units of work that the metered passes spend on a function.
    pub max_units_per_function: Option<u64>,
    /// Units of work that the metered passes spend on a module.
    pub max_units_per_module: Option<u64>,
    /// Whether modules may define enums.
    pub enum_types: bool,
    /// Whether functions may declare what they access.
    pub resource_access_control: bool,
    /// Whether there are function types, closures and function attributes.
    pub function_values: bool,
}

impl VerifierConfig {
    /// The configuration of the chain today. It is also that of the recorded verdicts.
    pub const fn aptos() -> Self {
        Self {
            max_loop_depth: Some(5),
            max_type_parameters: Some(32),
            max_function_parameters: Some(128),
            max_function_return_values: Some(128),
            max_type_nodes: Some(128),
            max_type_depth: Some(20),
            max_basic_blocks: Some(1024),
            max_basic_blocks_in_script: None,
            max_value_stack_size: 1024,
            max_push_size: Some(10_000),
            max_struct_definitions: None,
            max_fields_in_struct: None,
            max_struct_variants: None,
            max_function_definitions: None,
            max_back_edges_per_function: None,
            max_back_edges_per_module: None,
            max_units_per_function: Some(80_000_000),
            max_units_per_module: Some(80_000_000),
            enum_types: true,
            resource_access_control: true,
            function_values: true,
        }
    }

    /// The configuration of the platform's own unit tests, which is called `production` there: stricter than the chain.
    pub const fn production() -> Self {
        Self {
            max_basic_blocks_in_script: Some(1024),
            max_struct_definitions: Some(200),
            max_fields_in_struct: Some(30),
            max_struct_variants: Some(90),
            max_function_definitions: Some(1000),
            max_units_per_function: Some(8_000_000),
            max_units_per_module: Some(8_000_000),
            ..Self::aptos()
        }
    }
}

impl Default for VerifierConfig {
    fn default() -> Self {
        Self::aptos()
    }
}
