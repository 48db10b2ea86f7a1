//! Status codes: the closed list of outcomes of the VM, with their numbers (verifier spec, appendix "StatusCode").

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};
use thiserror::Error;

macro_rules! statuses {
    ($($name:ident = $number:literal, $doc:literal;)*) => {
        /// An outcome of the VM. Serialized as its number.
        #[allow(non_camel_case_types, reason = "the names are the platform's, and their spelling is part of its output")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u64)]
        pub enum StatusCode {
            $(#[doc = $doc] $name = $number,)*
        }

        impl StatusCode {
            /// Every status, ordered by number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name in capitals, as in `ARITHMETIC_ERROR`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// What the status says, in one line.
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$name => $doc,)*
                }
            }

            /// The status with this number.
            pub const fn from_number(number: u64) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

/// The range that a status belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusFamily {
    /// 0–999: a transaction was not admitted.
    Validation,
    /// 1000–1999: code was refused by the verifier, the linker or the publisher.
    Verification,
    /// 2000–2999: the VM broke one of its own rules.
    InvariantViolation,
    /// 3000–3999: bytes did not decode.
    Deserialization,
    /// 4000–4999: an outcome of running code.
    Execution,
    /// `UNKNOWN_STATUS`, which lies outside of the ranges.
    Unknown,
}

/// A name or number that no status has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("unknown status code")]
pub struct UnknownStatus;

impl StatusCode {
    /// The number.
    pub const fn number(self) -> u64 {
        self as u64
    }

    /// The range that the number lies in.
    pub const fn family(self) -> StatusFamily {
        match self.number() {
            0..1000 => StatusFamily::Validation,
            1000..2000 => StatusFamily::Verification,
            2000..3000 => StatusFamily::InvariantViolation,
            3000..4000 => StatusFamily::Deserialization,
            4000..5000 => StatusFamily::Execution,
            _ => StatusFamily::Unknown,
        }
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for StatusCode {
    type Err = UnknownStatus;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|status| status.name() == name)
            .ok_or(UnknownStatus)
    }
}

impl TryFrom<u64> for StatusCode {
    type Error = UnknownStatus;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        Self::from_number(number).ok_or(UnknownStatus)
    }
}

impl From<StatusCode> for u64 {
    fn from(status: StatusCode) -> Self {
        status.number()
    }
}

impl Serialize for StatusCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.number())
    }
}

impl<'de> Deserialize<'de> for StatusCode {
    /// A number that no status has becomes `UNKNOWN_STATUS`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        Ok(Self::from_number(number).unwrap_or(Self::UNKNOWN_STATUS))
    }
}

statuses! {
    UNKNOWN_VALIDATION_STATUS = 0, "A transaction was not admitted for a reason that has no status of its own.";
    INVALID_SIGNATURE = 1, "A signature of the transaction does not verify.";
    INVALID_AUTH_KEY = 2, "The key does not match the authentication key of the account.";
    SEQUENCE_NUMBER_TOO_OLD = 3, "The sequence number of the transaction is already used.";
    SEQUENCE_NUMBER_TOO_NEW = 4, "The sequence number of the transaction lies ahead of that of the account.";
    INSUFFICIENT_BALANCE_FOR_TRANSACTION_FEE = 5, "The account cannot pay the most the transaction may cost.";
    TRANSACTION_EXPIRED = 6, "The transaction has expired.";
    SENDING_ACCOUNT_DOES_NOT_EXIST = 7, "The sender has no account.";
    REJECTED_WRITE_SET = 8, "The write set does not fulfil what is required of it.";
    INVALID_WRITE_SET = 9, "The write set cannot be applied to the state.";
    EXCEEDED_MAX_TRANSACTION_SIZE = 10, "The transaction has too many bytes.";
    UNKNOWN_SCRIPT = 11, "The script is not on the list of admitted ones.";
    UNKNOWN_MODULE = 12, "The transaction publishes a module that is not admitted.";
    MAX_GAS_UNITS_EXCEEDS_MAX_GAS_UNITS_BOUND = 13, "The gas limit of the transaction exceeds what the chain admits.";
    MAX_GAS_UNITS_BELOW_MIN_TRANSACTION_GAS_UNITS = 14, "The gas limit of the transaction does not cover its fixed cost.";
    GAS_UNIT_PRICE_BELOW_MIN_BOUND = 15, "The gas price is below what the chain admits.";
    GAS_UNIT_PRICE_ABOVE_MAX_BOUND = 16, "The gas price is above what the chain admits.";
    INVALID_GAS_SPECIFIER = 17, "The transaction names an invalid way to pay for gas.";
    SENDING_ACCOUNT_FROZEN = 18, "The account of the sender is frozen.";
    UNABLE_TO_DESERIALIZE_ACCOUNT = 19, "The account resource does not decode.";
    CURRENCY_INFO_DOES_NOT_EXIST = 20, "The currency is not registered.";
    INVALID_MODULE_PUBLISHER = 21, "The sender may not publish modules.";
    NO_ACCOUNT_ROLE = 22, "The sender has no role.";
    BAD_CHAIN_ID = 23, "The transaction is for another chain.";
    SEQUENCE_NUMBER_TOO_BIG = 24, "The sequence number has reached the end of its range.";
    BAD_TRANSACTION_FEE_CURRENCY = 25, "Fees cannot be paid in this currency.";
    FEATURE_UNDER_GATING = 26, "The transaction uses a feature that is not switched on.";
    SECONDARY_KEYS_ADDRESSES_COUNT_MISMATCH = 27, "There are not as many keys as addresses of further signers.";
    SIGNERS_CONTAIN_DUPLICATES = 28, "One account signs twice.";
    SEQUENCE_NONCE_INVALID = 29, "The nonce of the transaction is invalid.";
    CHAIN_ACCOUNT_INFO_DOES_NOT_EXIST = 30, "The chain-specific description of accounts is missing.";
    ACCOUNT_NOT_MULTISIG = 31, "The account is not a multisig account.";
    NOT_MULTISIG_OWNER = 32, "The sender does not own the multisig account.";
    MULTISIG_TRANSACTION_NOT_FOUND = 33, "The multisig account has no such pending transaction.";
    MULTISIG_TRANSACTION_INSUFFICIENT_APPROVALS = 34, "The multisig transaction lacks approvals.";
    MULTISIG_TRANSACTION_PAYLOAD_DOES_NOT_MATCH_HASH = 35, "The given payload does not have the hash stored on chain.";
    GAS_PAYER_ACCOUNT_MISSING = 36, "The gas payer has no account.";
    INSUFFICIENT_BALANCE_FOR_REQUIRED_DEPOSIT = 37, "The account cannot pay the required deposit.";
    GAS_PARAMS_MISSING = 38, "The gas schedule is missing on chain.";
    REQUIRED_DEPOSIT_INCONSISTENT_WITH_TXN_MAX_GAS = 39, "The required deposit does not fit the gas limit of the transaction.";
    MULTISIG_TRANSACTION_PAYLOAD_DOES_NOT_MATCH = 40, "The given payload is not the one stored on chain.";
    ACCOUNT_AUTHENTICATION_GAS_LIMIT_EXCEEDED = 41, "Authentication by code took too much gas.";
    NONCE_ALREADY_USED = 42, "The nonce of an orderless transaction is already used.";
    EMPTY_PAYLOAD_PROVIDED = 43, "The transaction has nothing to execute.";
    TRANSACTION_EXPIRATION_TOO_FAR_IN_FUTURE = 44, "An orderless transaction expires too late.";
    INVALID_NUMBER_OF_AUTHENTICATION_PROOFS = 45, "There are not as many proofs as signers.";
    RESERVED_VALIDATION_ERROR_11 = 46, "Reserved; has no meaning yet.";
    RESERVED_VALIDATION_ERROR_12 = 47, "Reserved; has no meaning yet.";
    RESERVED_VALIDATION_ERROR_13 = 48, "Reserved; has no meaning yet.";
    RESERVED_VALIDATION_ERROR_14 = 49, "Reserved; has no meaning yet.";
    RESERVED_VALIDATION_ERROR_15 = 50, "Reserved; has no meaning yet.";
    UNKNOWN_VERIFICATION_ERROR = 1000, "Code was refused for a reason that has no status of its own.";
    INDEX_OUT_OF_BOUNDS = 1001, "An index points outside of its table.";
    INVALID_SIGNATURE_TOKEN = 1003, "A type stands where it may not.";
    RECURSIVE_STRUCT_DEFINITION = 1005, "A struct contains itself.";
    FIELD_MISSING_TYPE_ABILITY = 1006, "A field lacks an ability that its struct declares.";
    INVALID_FALL_THROUGH = 1007, "Code can run past its end.";
    NEGATIVE_STACK_SIZE_WITHIN_BLOCK = 1009, "A block takes more from the stack than it put there.";
    INVALID_MAIN_FUNCTION_SIGNATURE = 1011, "The parameters or results of a script or entry function are not admitted.";
    DUPLICATE_ELEMENT = 1012, "A table has two equal entries.";
    INVALID_MODULE_HANDLE = 1013, "A definition belongs to another module.";
    UNIMPLEMENTED_HANDLE = 1014, "A handle of the module itself has no definition.";
    LOOKUP_FAILED = 1017, "A struct or function does not exist in its module, or may not be called.";
    TYPE_MISMATCH = 1020, "Types that must be equal differ.";
    MISSING_DEPENDENCY = 1021, "A module that is depended upon is not there.";
    POP_WITHOUT_DROP_ABILITY = 1023, "A value without `drop` is popped.";
    BR_TYPE_MISMATCH_ERROR = 1025, "The condition of a branch is not a boolean.";
    ABORT_TYPE_MISMATCH_ERROR = 1026, "The operands of an abort are of the wrong types.";
    STLOC_TYPE_MISMATCH_ERROR = 1027, "The value stored in a local is not of its type.";
    STLOC_UNSAFE_TO_DESTROY_ERROR = 1028, "A store would destroy a value that must not be dropped or is borrowed.";
    UNSAFE_RET_LOCAL_OR_RESOURCE_STILL_BORROWED = 1029, "A local or resource is still borrowed at a return.";
    RET_TYPE_MISMATCH_ERROR = 1030, "Returned values are not of the declared types.";
    RET_BORROWED_MUTABLE_REFERENCE_ERROR = 1031, "A returned mutable reference is borrowed.";
    FREEZEREF_TYPE_MISMATCH_ERROR = 1032, "What is frozen is not a mutable reference.";
    FREEZEREF_EXISTS_MUTABLE_BORROW_ERROR = 1033, "A reference is frozen while it is mutably borrowed.";
    BORROWFIELD_TYPE_MISMATCH_ERROR = 1034, "A field is borrowed from something else than a reference to its struct.";
    BORROWFIELD_BAD_FIELD_ERROR = 1035, "The borrowed field does not exist.";
    BORROWFIELD_EXISTS_MUTABLE_BORROW_ERROR = 1036, "A field is borrowed in conflict with another borrow.";
    COPYLOC_UNAVAILABLE_ERROR = 1037, "A local that may hold no value is copied.";
    COPYLOC_WITHOUT_COPY_ABILITY = 1038, "A local without `copy` is copied.";
    COPYLOC_EXISTS_BORROW_ERROR = 1039, "A mutably borrowed local is copied.";
    MOVELOC_UNAVAILABLE_ERROR = 1040, "A local that may hold no value is moved.";
    MOVELOC_EXISTS_BORROW_ERROR = 1041, "A borrowed local is moved.";
    BORROWLOC_REFERENCE_ERROR = 1042, "A local that holds a reference is borrowed.";
    BORROWLOC_UNAVAILABLE_ERROR = 1043, "A local that may hold no value is borrowed.";
    BORROWLOC_EXISTS_BORROW_ERROR = 1044, "A local is borrowed in conflict with another borrow.";
    CALL_TYPE_MISMATCH_ERROR = 1045, "Arguments are not of the parameters' types.";
    CALL_BORROWED_MUTABLE_REFERENCE_ERROR = 1046, "A mutable reference that is borrowed is passed.";
    PACK_TYPE_MISMATCH_ERROR = 1047, "Packed or captured values are not of the expected types.";
    UNPACK_TYPE_MISMATCH_ERROR = 1048, "What is unpacked is not of the struct's type.";
    READREF_TYPE_MISMATCH_ERROR = 1049, "What is read through is not a reference.";
    READREF_WITHOUT_COPY_ABILITY = 1050, "A value without `copy` is read through a reference.";
    READREF_EXISTS_MUTABLE_BORROW_ERROR = 1051, "A reference is read while it is mutably borrowed.";
    WRITEREF_TYPE_MISMATCH_ERROR = 1052, "A written value is not of the reference's type.";
    WRITEREF_WITHOUT_DROP_ABILITY = 1053, "A value without `drop` would be overwritten through a reference.";
    WRITEREF_EXISTS_BORROW_ERROR = 1054, "A reference is written while it is borrowed.";
    WRITEREF_NO_MUTABLE_REFERENCE_ERROR = 1055, "What is written through is not a mutable reference.";
    INTEGER_OP_TYPE_MISMATCH_ERROR = 1056, "Operands of an integer instruction are of the wrong types.";
    BOOLEAN_OP_TYPE_MISMATCH_ERROR = 1057, "Operands of a boolean instruction are not booleans.";
    EQUALITY_OP_TYPE_MISMATCH_ERROR = 1058, "Compared values are of different types or lack `drop`.";
    EXISTS_WITHOUT_KEY_ABILITY_OR_BAD_ARGUMENT = 1059, "Existence is asked of a type without `key`, or not of an address.";
    BORROWGLOBAL_TYPE_MISMATCH_ERROR = 1060, "A resource is borrowed from something else than an address.";
    BORROWGLOBAL_WITHOUT_KEY_ABILITY = 1061, "A type without `key` is borrowed from storage.";
    MOVEFROM_TYPE_MISMATCH_ERROR = 1062, "A resource is taken from something else than an address.";
    MOVEFROM_WITHOUT_KEY_ABILITY = 1063, "A type without `key` is taken from storage.";
    MOVETO_TYPE_MISMATCH_ERROR = 1064, "A resource is stored with operands of the wrong types.";
    MOVETO_WITHOUT_KEY_ABILITY = 1065, "A type without `key` is put into storage.";
    MODULE_ADDRESS_DOES_NOT_MATCH_SENDER = 1067, "A module is published at an address that is not the sender's.";
    NO_MODULE_HANDLES = 1068, "A module has no module handles.";
    POSITIVE_STACK_SIZE_AT_BLOCK_END = 1069, "A block leaves values on the stack.";
    MISSING_ACQUIRES_ANNOTATION = 1070, "A resource is acquired that is not on the list.";
    EXTRANEOUS_ACQUIRES_ANNOTATION = 1071, "A resource is on the list that is not acquired.";
    DUPLICATE_ACQUIRES_ANNOTATION = 1072, "A resource is on the list of acquired ones twice.";
    INVALID_ACQUIRES_ANNOTATION = 1073, "A type without `key` is on the list of acquired resources.";
    GLOBAL_REFERENCE_ERROR = 1074, "Storage is used in conflict with a live reference into it.";
    CONSTRAINT_NOT_SATISFIED = 1075, "A type argument lacks a required ability, or another bound is exceeded.";
    NUMBER_OF_TYPE_ARGUMENTS_MISMATCH = 1076, "The number of type arguments is wrong.";
    LOOP_IN_INSTANTIATION_GRAPH = 1077, "Generic calls would need endlessly many instantiations.";
    ZERO_SIZED_STRUCT = 1080, "A struct has no fields.";
    LINKER_ERROR = 1081, "Modules do not fit together.";
    INVALID_CONSTANT_TYPE = 1082, "A constant is of a type that constants cannot have.";
    MALFORMED_CONSTANT_DATA = 1083, "The bytes of a constant are not a value of its type.";
    EMPTY_CODE_UNIT = 1084, "A function has no instructions.";
    INVALID_LOOP_SPLIT = 1085, "The control flow is not made of properly nested loops.";
    INVALID_LOOP_BREAK = 1086, "A jump leaves a loop for somewhere else than its end.";
    INVALID_LOOP_CONTINUE = 1087, "A jump goes back to the head of an outer loop.";
    UNSAFE_RET_UNUSED_VALUES_WITHOUT_DROP = 1088, "A local without `drop` holds a value at a return.";
    TOO_MANY_LOCALS = 1089, "A function has too many parameters and locals.";
    GENERIC_MEMBER_OPCODE_MISMATCH = 1090, "A generic instruction names something not generic, or the other way round.";
    FUNCTION_RESOLUTION_FAILURE = 1091, "A function that is looked up at run time does not exist.";
    INVALID_OPERATION_IN_SCRIPT = 1094, "A script does what only modules may do.";
    DUPLICATE_MODULE_NAME = 1095, "A bundle holds a module twice.";
    BACKWARD_INCOMPATIBLE_MODULE_UPDATE = 1096, "An upgrade breaks code that relies on the old version.";
    CYCLIC_MODULE_DEPENDENCY = 1097, "Modules depend on each other in a cycle.";
    NUMBER_OF_ARGUMENTS_MISMATCH = 1098, "The number of arguments is wrong.";
    INVALID_PARAM_TYPE_FOR_DESERIALIZATION = 1099, "A parameter is of a type that cannot be passed from outside.";
    FAILED_TO_DESERIALIZE_ARGUMENT = 1100, "An argument does not decode.";
    NUMBER_OF_SIGNER_ARGUMENTS_MISMATCH = 1101, "The number of signers is wrong.";
    CALLED_SCRIPT_VISIBLE_FROM_NON_SCRIPT_VISIBLE = 1102, "A script-visible function is called by one that is not.";
    EXECUTE_ENTRY_FUNCTION_CALLED_ON_NON_ENTRY_FUNCTION = 1103, "A transaction calls a function that is not an entry function.";
    INVALID_FRIEND_DECL_WITH_SELF = 1104, "A module declares itself a friend.";
    INVALID_FRIEND_DECL_WITH_MODULES_OUTSIDE_ACCOUNT_ADDRESS = 1105, "A friend is at another address.";
    INVALID_FRIEND_DECL_WITH_MODULES_IN_DEPENDENCIES = 1106, "A friend is also a dependency.";
    CYCLIC_MODULE_FRIENDSHIP = 1107, "Modules are friends in a cycle.";
    INVALID_PHANTOM_TYPE_PARAM_POSITION = 1108, "A phantom type parameter stands where it is not phantom.";
    VEC_UPDATE_EXISTS_MUTABLE_BORROW_ERROR = 1109, "A vector is changed while it is borrowed.";
    VEC_BORROW_ELEMENT_EXISTS_MUTABLE_BORROW_ERROR = 1110, "An element is borrowed in conflict with another borrow.";
    LOOP_MAX_DEPTH_REACHED = 1111, "Loops nest too deep.";
    TOO_MANY_TYPE_PARAMETERS = 1112, "There are too many type parameters.";
    TOO_MANY_PARAMETERS = 1113, "There are too many parameters or results.";
    TOO_MANY_BASIC_BLOCKS = 1114, "A function has too many basic blocks.";
    VALUE_STACK_OVERFLOW = 1115, "A function needs too high a stack.";
    TOO_MANY_TYPE_NODES = 1116, "A type is too large or too deep.";
    VALUE_STACK_PUSH_OVERFLOW = 1117, "A block pushes too many values.";
    MAX_DEPENDENCY_DEPTH_REACHED = 1118, "Dependencies nest too deep.";
    MAX_FUNCTION_DEFINITIONS_REACHED = 1119, "A module has too many functions.";
    MAX_STRUCT_DEFINITIONS_REACHED = 1120, "A module has too many structs.";
    MAX_FIELD_DEFINITIONS_REACHED = 1121, "A struct has too many fields.";
    TOO_MANY_BACK_EDGES = 1122, "There are too many backward jumps.";
    EVENT_METADATA_VALIDATION_ERROR = 1123, "The metadata about events are wrong.";
    DEPENDENCY_LIMIT_REACHED = 1124, "A transaction has too many or too large dependencies.";
    UNSTABLE_BYTECODE_REJECTED = 1125, "Code from an unstable compiler is not admitted.";
    PROGRAM_TOO_COMPLEX = 1126, "Verification takes too long.";
    USER_DEFINED_NATIVE_NOT_ALLOWED = 1127, "A module declares natives that it may not.";
    MAX_STRUCT_VARIANTS_REACHED = 1128, "An enum has too many variants.";
    TEST_VARIANT_TYPE_MISMATCH_ERROR = 1129, "A variant is asked of something else than a reference to its enum.";
    ZERO_VARIANTS_ERROR = 1130, "An enum, or a list of variants, is empty.";
    FEATURE_NOT_ENABLED = 1131, "The code uses a feature that is not switched on.";
    INVALID_CLOSURE_MASK = 1132, "A closure captures a parameter that does not exist.";
    CLOSURE_CALL_REQUIRES_FUNCTION = 1133, "A closure is called with something else than one function type.";
    INVALID_INIT_MODULE = 1134, "The initializer of a module has the wrong form.";
    FRIEND_NOT_FOUND_IN_MODULE_BUNDLE = 1135, "A friend is not part of the bundle.";
    INVALID_STRUCT_API_CODE = 1136, "A function of the struct API has the wrong name, attribute or body.";
    IMMUTABLE_FUNCTION_CALLS_NON_IMMUTABLE = 1137, "An immutable function calls one that is not.";
    INVALID_CONST_API_CODE = 1138, "An accessor of a constant has the wrong name, attribute or body.";
    RESERVED_VERIFICATION_ERROR_1 = 1139, "Reserved; has no meaning yet.";
    RESERVED_VERIFICATION_ERROR_2 = 1140, "Reserved; has no meaning yet.";
    RESERVED_VERIFICATION_ERROR_3 = 1141, "Reserved; has no meaning yet.";
    RESERVED_VERIFICATION_ERROR_4 = 1142, "Reserved; has no meaning yet.";
    UNKNOWN_INVARIANT_VIOLATION_ERROR = 2000, "The VM broke a rule of its own that has no status.";
    EMPTY_VALUE_STACK = 2003, "A value was popped from an empty stack.";
    PC_OVERFLOW = 2005, "Execution ran past the end of the code.";
    VERIFICATION_ERROR = 2006, "Verification failed at run time.";
    STORAGE_ERROR = 2008, "The storage failed.";
    INTERNAL_TYPE_ERROR = 2009, "A value was not of the type that verified code gives it.";
    EVENT_KEY_MISMATCH = 2010, "The key of an event handle does not decode.";
    UNREACHABLE = 2011, "Something happened that cannot.";
    VM_STARTUP_FAILURE = 2012, "The VM could not be set up.";
    UNEXPECTED_ERROR_FROM_KNOWN_MOVE_FUNCTION = 2015, "A function of the framework failed where it must not.";
    VERIFIER_INVARIANT_VIOLATION = 2016, "The verifier itself failed.";
    UNEXPECTED_VERIFIER_ERROR = 2017, "Published code did not verify.";
    UNEXPECTED_DESERIALIZATION_ERROR = 2018, "Published code did not decode.";
    FAILED_TO_SERIALIZE_WRITE_SET_CHANGES = 2019, "A change could not be serialized.";
    FAILED_TO_DESERIALIZE_RESOURCE = 2020, "A stored resource does not decode.";
    TYPE_RESOLUTION_FAILURE = 2021, "A type that is looked up at run time does not exist.";
    DUPLICATE_NATIVE_FUNCTION = 2022, "A native function is registered twice.";
    DELAYED_FIELD_OR_BLOCKSTM_CODE_INVARIANT_ERROR = 2023, "The parallel executor broke a rule of its own.";
    SPECULATIVE_EXECUTION_ABORT_ERROR = 2024, "A speculative execution was given up.";
    ACCESS_CONTROL_INVARIANT_VIOLATION = 2025, "The access control broke a rule of its own.";
    RESERVED_INVARIANT_VIOLATION_ERROR_1 = 2026, "Reserved; has no meaning yet.";
    RESERVED_INVARIANT_VIOLATION_ERROR_2 = 2027, "Reserved; has no meaning yet.";
    RESERVED_INVARIANT_VIOLATION_ERROR_3 = 2028, "Reserved; has no meaning yet.";
    RESERVED_INVARIANT_VIOLATION_ERROR_4 = 2039, "Reserved; has no meaning yet.";
    RESERVED_INVARIANT_VIOLATION_ERROR_5 = 2040, "Reserved; has no meaning yet.";
    UNKNOWN_BINARY_ERROR = 3000, "A binary did not decode for a reason that has no status of its own.";
    MALFORMED = 3001, "The binary is malformed.";
    BAD_MAGIC = 3002, "The binary does not begin with the magic number.";
    UNKNOWN_VERSION = 3003, "The version of the binary is not accepted.";
    UNKNOWN_TABLE_TYPE = 3004, "The binary has a table of an unknown kind.";
    UNKNOWN_SIGNATURE_TYPE = 3005, "The binary has a signature of an unknown kind.";
    UNKNOWN_SERIALIZED_TYPE = 3006, "The binary has an unknown type.";
    UNKNOWN_OPCODE = 3007, "The binary has an unknown instruction.";
    BAD_HEADER_TABLE = 3008, "The tables of the binary do not lie as they must.";
    UNEXPECTED_SIGNATURE_TYPE = 3009, "A signature is of another kind than its place demands.";
    DUPLICATE_TABLE = 3010, "The binary has two tables of one kind.";
    UNKNOWN_ABILITY = 3013, "The binary has an unknown ability.";
    UNKNOWN_NATIVE_STRUCT_FLAG = 3014, "A struct definition is of an unknown kind.";
    BAD_U16 = 3017, "A 16-bit number is cut short.";
    BAD_U32 = 3018, "A 32-bit number is cut short.";
    BAD_U64 = 3019, "A 64-bit number is cut short.";
    BAD_U128 = 3020, "A 128-bit number is cut short.";
    BAD_U256 = 3021, "A 256-bit number is cut short.";
    VALUE_SERIALIZATION_ERROR = 3022, "A value could not be serialized.";
    VALUE_DESERIALIZATION_ERROR = 3023, "A value does not decode.";
    CODE_DESERIALIZATION_ERROR = 3024, "A module or script does not decode.";
    INVALID_FLAG_BITS = 3025, "A function has unknown flags.";
    UNABLE_TO_CAPTURE_OPTION_TYPE = 3026, "A closure captures an option, which is not admitted.";
    RESERVED_DESERIALIZAION_ERROR_1 = 3027, "Reserved; has no meaning yet.";
    RESERVED_DESERIALIZAION_ERROR_2 = 3028, "Reserved; has no meaning yet.";
    RESERVED_DESERIALIZAION_ERROR_3 = 3029, "Reserved; has no meaning yet.";
    RESERVED_DESERIALIZAION_ERROR_4 = 3030, "Reserved; has no meaning yet.";
    RESERVED_DESERIALIZAION_ERROR_5 = 3031, "Reserved; has no meaning yet.";
    UNKNOWN_RUNTIME_STATUS = 4000, "Execution failed for a reason that has no status of its own.";
    EXECUTED = 4001, "Execution succeeded.";
    OUT_OF_GAS = 4002, "The gas is used up.";
    RESOURCE_DOES_NOT_EXIST = 4003, "The resource does not exist.";
    RESOURCE_ALREADY_EXISTS = 4004, "A resource is stored where there is one already.";
    MISSING_DATA = 4008, "The resource that is borrowed or taken does not exist.";
    DATA_FORMAT_ERROR = 4009, "Stored data does not decode.";
    ABORTED = 4016, "The program aborted with a code.";
    ARITHMETIC_ERROR = 4017, "A result is out of range, or a divisor is zero.";
    VECTOR_OPERATION_ERROR = 4018, "A vector was used out of its bounds.";
    EXECUTION_STACK_OVERFLOW = 4020, "The operand stack is too high.";
    CALL_STACK_OVERFLOW = 4021, "Calls nest too deep.";
    VM_MAX_TYPE_DEPTH_REACHED = 4024, "A type at run time nests too deep.";
    VM_MAX_VALUE_DEPTH_REACHED = 4025, "A value nests too deep.";
    VM_EXTENSION_ERROR = 4026, "A native extension failed.";
    STORAGE_WRITE_LIMIT_REACHED = 4027, "The transaction writes too much.";
    MEMORY_LIMIT_EXCEEDED = 4028, "The transaction uses too much memory.";
    VM_MAX_TYPE_NODES_REACHED = 4029, "A type at run time is too large.";
    EXECUTION_LIMIT_REACHED = 4030, "The transaction executes for too long.";
    IO_LIMIT_REACHED = 4031, "The transaction accesses storage too much.";
    STORAGE_LIMIT_REACHED = 4032, "The transaction occupies too much storage.";
    TYPE_TAG_LIMIT_EXCEEDED = 4033, "A type tag is too expensive.";
    ACCESS_DENIED = 4034, "Storage is accessed against the declared access.";
    ACCESS_STACK_LIMIT_EXCEEDED = 4035, "Declarations of access nest too deep.";
    TOO_MANY_DELAYED_FIELDS = 4036, "A resource has too many delayed fields.";
    RUNTIME_DISPATCH_ERROR = 4037, "A dynamic call is not admitted, for instance because it re-enters a module.";
    STRUCT_VARIANT_MISMATCH = 4038, "An enum is of another variant than is asked for.";
    UNIMPLEMENTED_FUNCTIONALITY = 4039, "The VM does not have this yet.";
    RUNTIME_CYCLIC_MODULE_DEPENDENCY = 4040, "Modules met at run time depend on each other in a cycle.";
    UNABLE_TO_CAPTURE_DELAYED_FIELDS = 4041, "A closure captures a delayed field, which is not admitted.";
    INVALID_ABORT_MESSAGE = 4042, "The message of an abort is not UTF-8.";
    ABORT_MESSAGE_LIMIT_EXCEEDED = 4043, "The message of an abort is too long.";
    RESERVED_RUNTIME_ERROR_1 = 4044, "Reserved; has no meaning yet.";
    RESERVED_RUNTIME_ERROR_2 = 4045, "Reserved; has no meaning yet.";
    RESERVED_RUNTIME_ERROR_3 = 4046, "Reserved; has no meaning yet.";
    UNKNOWN_STATUS = 0xffff_ffff_ffff_ffff, "A number that no status has.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree() {
        assert_eq!(StatusCode::ALL.len(), 268);
        assert!(StatusCode::ALL.is_sorted());
        for &status in StatusCode::ALL {
            assert_eq!(StatusCode::from_number(status.number()), Some(status));
            assert_eq!(status.name().parse(), Ok(status));
            assert!(!status.description().is_empty());
        }
        assert_eq!(StatusCode::ARITHMETIC_ERROR.number(), 4017);
        assert_eq!(StatusCode::MALFORMED.to_string(), "MALFORMED");
        assert_eq!(StatusCode::from_number(1002), None);
        assert_eq!("malformed".parse::<StatusCode>(), Err(UnknownStatus));
    }

    #[test]
    fn families() {
        use StatusFamily::*;
        for (status, family) in [
            (StatusCode::INVALID_SIGNATURE, Validation),
            (StatusCode::TYPE_MISMATCH, Verification),
            (StatusCode::VERIFICATION_ERROR, InvariantViolation),
            (StatusCode::BAD_MAGIC, Deserialization),
            (StatusCode::EXECUTED, Execution),
            (StatusCode::UNKNOWN_STATUS, Unknown),
        ] {
            assert_eq!(status.family(), family);
        }
    }

    #[test]
    fn serde_is_by_number() {
        let bytes = bcs::to_bytes(&StatusCode::ABORTED).unwrap();
        assert_eq!(bytes, 4016u64.to_le_bytes());
        assert_eq!(bcs::from_bytes(&bytes), Ok(StatusCode::ABORTED));
        assert_eq!(
            bcs::from_bytes(&1002u64.to_le_bytes()),
            Ok(StatusCode::UNKNOWN_STATUS)
        );
    }
}
