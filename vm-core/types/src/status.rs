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
    UNKNOWN_VALIDATION_STATUS = 0, "Unknown validation status.";
    INVALID_SIGNATURE = 1, "Invalid signature.";
    INVALID_AUTH_KEY = 2, "Invalid auth key.";
    SEQUENCE_NUMBER_TOO_OLD = 3, "Sequence number too old.";
    SEQUENCE_NUMBER_TOO_NEW = 4, "Sequence number too new.";
    INSUFFICIENT_BALANCE_FOR_TRANSACTION_FEE = 5, "Insufficient balance for transaction fee.";
    TRANSACTION_EXPIRED = 6, "Transaction expired.";
    SENDING_ACCOUNT_DOES_NOT_EXIST = 7, "Sending account does not exist.";
    REJECTED_WRITE_SET = 8, "Rejected write set.";
    INVALID_WRITE_SET = 9, "Invalid write set.";
    EXCEEDED_MAX_TRANSACTION_SIZE = 10, "Exceeded max transaction size.";
    UNKNOWN_SCRIPT = 11, "Unknown script.";
    UNKNOWN_MODULE = 12, "Unknown module.";
    MAX_GAS_UNITS_EXCEEDS_MAX_GAS_UNITS_BOUND = 13, "Max gas units exceeds max gas units bound.";
    MAX_GAS_UNITS_BELOW_MIN_TRANSACTION_GAS_UNITS = 14, "Max gas units below min transaction gas units.";
    GAS_UNIT_PRICE_BELOW_MIN_BOUND = 15, "Gas unit price below min bound.";
    GAS_UNIT_PRICE_ABOVE_MAX_BOUND = 16, "Gas unit price above max bound.";
    INVALID_GAS_SPECIFIER = 17, "Invalid gas specifier.";
    SENDING_ACCOUNT_FROZEN = 18, "Sending account frozen.";
    UNABLE_TO_DESERIALIZE_ACCOUNT = 19, "Unable to deserialize account.";
    CURRENCY_INFO_DOES_NOT_EXIST = 20, "Currency info does not exist.";
    INVALID_MODULE_PUBLISHER = 21, "Invalid module publisher.";
    NO_ACCOUNT_ROLE = 22, "No account role.";
    BAD_CHAIN_ID = 23, "Bad chain id.";
    SEQUENCE_NUMBER_TOO_BIG = 24, "Sequence number too big.";
    BAD_TRANSACTION_FEE_CURRENCY = 25, "Bad transaction fee currency.";
    FEATURE_UNDER_GATING = 26, "Feature under gating.";
    SECONDARY_KEYS_ADDRESSES_COUNT_MISMATCH = 27, "Secondary keys addresses count mismatch.";
    SIGNERS_CONTAIN_DUPLICATES = 28, "Signers contain duplicates.";
    SEQUENCE_NONCE_INVALID = 29, "Sequence nonce invalid.";
    CHAIN_ACCOUNT_INFO_DOES_NOT_EXIST = 30, "Chain account info does not exist.";
    ACCOUNT_NOT_MULTISIG = 31, "Account not multisig.";
    NOT_MULTISIG_OWNER = 32, "Not multisig owner.";
    MULTISIG_TRANSACTION_NOT_FOUND = 33, "Multisig transaction not found.";
    MULTISIG_TRANSACTION_INSUFFICIENT_APPROVALS = 34, "Multisig transaction insufficient approvals.";
    MULTISIG_TRANSACTION_PAYLOAD_DOES_NOT_MATCH_HASH = 35, "Multisig transaction payload does not match hash.";
    GAS_PAYER_ACCOUNT_MISSING = 36, "Gas payer account missing.";
    INSUFFICIENT_BALANCE_FOR_REQUIRED_DEPOSIT = 37, "Insufficient balance for required deposit.";
    GAS_PARAMS_MISSING = 38, "Gas params missing.";
    REQUIRED_DEPOSIT_INCONSISTENT_WITH_TXN_MAX_GAS = 39, "Required deposit inconsistent with txn max gas.";
    MULTISIG_TRANSACTION_PAYLOAD_DOES_NOT_MATCH = 40, "Multisig transaction payload does not match.";
    ACCOUNT_AUTHENTICATION_GAS_LIMIT_EXCEEDED = 41, "Account authentication gas limit exceeded.";
    NONCE_ALREADY_USED = 42, "Nonce already used.";
    EMPTY_PAYLOAD_PROVIDED = 43, "Empty payload provided.";
    TRANSACTION_EXPIRATION_TOO_FAR_IN_FUTURE = 44, "Transaction expiration too far in future.";
    INVALID_NUMBER_OF_AUTHENTICATION_PROOFS = 45, "Invalid number of authentication proofs.";
    RESERVED_VALIDATION_ERROR_11 = 46, "Reserved validation error 11.";
    RESERVED_VALIDATION_ERROR_12 = 47, "Reserved validation error 12.";
    RESERVED_VALIDATION_ERROR_13 = 48, "Reserved validation error 13.";
    RESERVED_VALIDATION_ERROR_14 = 49, "Reserved validation error 14.";
    RESERVED_VALIDATION_ERROR_15 = 50, "Reserved validation error 15.";
    UNKNOWN_VERIFICATION_ERROR = 1000, "Unknown verification error.";
    INDEX_OUT_OF_BOUNDS = 1001, "Index out of bounds.";
    INVALID_SIGNATURE_TOKEN = 1003, "Invalid signature token.";
    RECURSIVE_STRUCT_DEFINITION = 1005, "Recursive struct definition.";
    FIELD_MISSING_TYPE_ABILITY = 1006, "Field missing type ability.";
    INVALID_FALL_THROUGH = 1007, "Invalid fall through.";
    NEGATIVE_STACK_SIZE_WITHIN_BLOCK = 1009, "Negative stack size within block.";
    INVALID_MAIN_FUNCTION_SIGNATURE = 1011, "Invalid main function signature.";
    DUPLICATE_ELEMENT = 1012, "Duplicate element.";
    INVALID_MODULE_HANDLE = 1013, "Invalid module handle.";
    UNIMPLEMENTED_HANDLE = 1014, "Unimplemented handle.";
    LOOKUP_FAILED = 1017, "Lookup failed.";
    TYPE_MISMATCH = 1020, "Type mismatch.";
    MISSING_DEPENDENCY = 1021, "Missing dependency.";
    POP_WITHOUT_DROP_ABILITY = 1023, "Pop without drop ability.";
    BR_TYPE_MISMATCH_ERROR = 1025, "Br type mismatch error.";
    ABORT_TYPE_MISMATCH_ERROR = 1026, "Abort type mismatch error.";
    STLOC_TYPE_MISMATCH_ERROR = 1027, "Stloc type mismatch error.";
    STLOC_UNSAFE_TO_DESTROY_ERROR = 1028, "Stloc unsafe to destroy error.";
    UNSAFE_RET_LOCAL_OR_RESOURCE_STILL_BORROWED = 1029, "Unsafe ret local or resource still borrowed.";
    RET_TYPE_MISMATCH_ERROR = 1030, "Ret type mismatch error.";
    RET_BORROWED_MUTABLE_REFERENCE_ERROR = 1031, "Ret borrowed mutable reference error.";
    FREEZEREF_TYPE_MISMATCH_ERROR = 1032, "Freezeref type mismatch error.";
    FREEZEREF_EXISTS_MUTABLE_BORROW_ERROR = 1033, "Freezeref exists mutable borrow error.";
    BORROWFIELD_TYPE_MISMATCH_ERROR = 1034, "Borrowfield type mismatch error.";
    BORROWFIELD_BAD_FIELD_ERROR = 1035, "Borrowfield bad field error.";
    BORROWFIELD_EXISTS_MUTABLE_BORROW_ERROR = 1036, "Borrowfield exists mutable borrow error.";
    COPYLOC_UNAVAILABLE_ERROR = 1037, "Copyloc unavailable error.";
    COPYLOC_WITHOUT_COPY_ABILITY = 1038, "Copyloc without copy ability.";
    COPYLOC_EXISTS_BORROW_ERROR = 1039, "Copyloc exists borrow error.";
    MOVELOC_UNAVAILABLE_ERROR = 1040, "Moveloc unavailable error.";
    MOVELOC_EXISTS_BORROW_ERROR = 1041, "Moveloc exists borrow error.";
    BORROWLOC_REFERENCE_ERROR = 1042, "Borrowloc reference error.";
    BORROWLOC_UNAVAILABLE_ERROR = 1043, "Borrowloc unavailable error.";
    BORROWLOC_EXISTS_BORROW_ERROR = 1044, "Borrowloc exists borrow error.";
    CALL_TYPE_MISMATCH_ERROR = 1045, "Call type mismatch error.";
    CALL_BORROWED_MUTABLE_REFERENCE_ERROR = 1046, "Call borrowed mutable reference error.";
    PACK_TYPE_MISMATCH_ERROR = 1047, "Pack type mismatch error.";
    UNPACK_TYPE_MISMATCH_ERROR = 1048, "Unpack type mismatch error.";
    READREF_TYPE_MISMATCH_ERROR = 1049, "Readref type mismatch error.";
    READREF_WITHOUT_COPY_ABILITY = 1050, "Readref without copy ability.";
    READREF_EXISTS_MUTABLE_BORROW_ERROR = 1051, "Readref exists mutable borrow error.";
    WRITEREF_TYPE_MISMATCH_ERROR = 1052, "Writeref type mismatch error.";
    WRITEREF_WITHOUT_DROP_ABILITY = 1053, "Writeref without drop ability.";
    WRITEREF_EXISTS_BORROW_ERROR = 1054, "Writeref exists borrow error.";
    WRITEREF_NO_MUTABLE_REFERENCE_ERROR = 1055, "Writeref no mutable reference error.";
    INTEGER_OP_TYPE_MISMATCH_ERROR = 1056, "Integer op type mismatch error.";
    BOOLEAN_OP_TYPE_MISMATCH_ERROR = 1057, "Boolean op type mismatch error.";
    EQUALITY_OP_TYPE_MISMATCH_ERROR = 1058, "Equality op type mismatch error.";
    EXISTS_WITHOUT_KEY_ABILITY_OR_BAD_ARGUMENT = 1059, "Exists without key ability or bad argument.";
    BORROWGLOBAL_TYPE_MISMATCH_ERROR = 1060, "Borrowglobal type mismatch error.";
    BORROWGLOBAL_WITHOUT_KEY_ABILITY = 1061, "Borrowglobal without key ability.";
    MOVEFROM_TYPE_MISMATCH_ERROR = 1062, "Movefrom type mismatch error.";
    MOVEFROM_WITHOUT_KEY_ABILITY = 1063, "Movefrom without key ability.";
    MOVETO_TYPE_MISMATCH_ERROR = 1064, "Moveto type mismatch error.";
    MOVETO_WITHOUT_KEY_ABILITY = 1065, "Moveto without key ability.";
    MODULE_ADDRESS_DOES_NOT_MATCH_SENDER = 1067, "Module address does not match sender.";
    NO_MODULE_HANDLES = 1068, "No module handles.";
    POSITIVE_STACK_SIZE_AT_BLOCK_END = 1069, "Positive stack size at block end.";
    MISSING_ACQUIRES_ANNOTATION = 1070, "Missing acquires annotation.";
    EXTRANEOUS_ACQUIRES_ANNOTATION = 1071, "Extraneous acquires annotation.";
    DUPLICATE_ACQUIRES_ANNOTATION = 1072, "Duplicate acquires annotation.";
    INVALID_ACQUIRES_ANNOTATION = 1073, "Invalid acquires annotation.";
    GLOBAL_REFERENCE_ERROR = 1074, "Global reference error.";
    CONSTRAINT_NOT_SATISFIED = 1075, "Constraint not satisfied.";
    NUMBER_OF_TYPE_ARGUMENTS_MISMATCH = 1076, "Number of type arguments mismatch.";
    LOOP_IN_INSTANTIATION_GRAPH = 1077, "Loop in instantiation graph.";
    ZERO_SIZED_STRUCT = 1080, "Zero sized struct.";
    LINKER_ERROR = 1081, "Linker error.";
    INVALID_CONSTANT_TYPE = 1082, "Invalid constant type.";
    MALFORMED_CONSTANT_DATA = 1083, "Malformed constant data.";
    EMPTY_CODE_UNIT = 1084, "Empty code unit.";
    INVALID_LOOP_SPLIT = 1085, "Invalid loop split.";
    INVALID_LOOP_BREAK = 1086, "Invalid loop break.";
    INVALID_LOOP_CONTINUE = 1087, "Invalid loop continue.";
    UNSAFE_RET_UNUSED_VALUES_WITHOUT_DROP = 1088, "Unsafe ret unused values without drop.";
    TOO_MANY_LOCALS = 1089, "Too many locals.";
    GENERIC_MEMBER_OPCODE_MISMATCH = 1090, "Generic member opcode mismatch.";
    FUNCTION_RESOLUTION_FAILURE = 1091, "Function resolution failure.";
    INVALID_OPERATION_IN_SCRIPT = 1094, "Invalid operation in script.";
    DUPLICATE_MODULE_NAME = 1095, "Duplicate module name.";
    BACKWARD_INCOMPATIBLE_MODULE_UPDATE = 1096, "Backward incompatible module update.";
    CYCLIC_MODULE_DEPENDENCY = 1097, "Cyclic module dependency.";
    NUMBER_OF_ARGUMENTS_MISMATCH = 1098, "Number of arguments mismatch.";
    INVALID_PARAM_TYPE_FOR_DESERIALIZATION = 1099, "Invalid param type for deserialization.";
    FAILED_TO_DESERIALIZE_ARGUMENT = 1100, "Failed to deserialize argument.";
    NUMBER_OF_SIGNER_ARGUMENTS_MISMATCH = 1101, "Number of signer arguments mismatch.";
    CALLED_SCRIPT_VISIBLE_FROM_NON_SCRIPT_VISIBLE = 1102, "Called script visible from non script visible.";
    EXECUTE_ENTRY_FUNCTION_CALLED_ON_NON_ENTRY_FUNCTION = 1103, "Execute entry function called on non entry function.";
    INVALID_FRIEND_DECL_WITH_SELF = 1104, "Invalid friend decl with self.";
    INVALID_FRIEND_DECL_WITH_MODULES_OUTSIDE_ACCOUNT_ADDRESS = 1105, "Invalid friend decl with modules outside account address.";
    INVALID_FRIEND_DECL_WITH_MODULES_IN_DEPENDENCIES = 1106, "Invalid friend decl with modules in dependencies.";
    CYCLIC_MODULE_FRIENDSHIP = 1107, "Cyclic module friendship.";
    INVALID_PHANTOM_TYPE_PARAM_POSITION = 1108, "Invalid phantom type param position.";
    VEC_UPDATE_EXISTS_MUTABLE_BORROW_ERROR = 1109, "Vec update exists mutable borrow error.";
    VEC_BORROW_ELEMENT_EXISTS_MUTABLE_BORROW_ERROR = 1110, "Vec borrow element exists mutable borrow error.";
    LOOP_MAX_DEPTH_REACHED = 1111, "Loop max depth reached.";
    TOO_MANY_TYPE_PARAMETERS = 1112, "Too many type parameters.";
    TOO_MANY_PARAMETERS = 1113, "Too many parameters.";
    TOO_MANY_BASIC_BLOCKS = 1114, "Too many basic blocks.";
    VALUE_STACK_OVERFLOW = 1115, "Value stack overflow.";
    TOO_MANY_TYPE_NODES = 1116, "Too many type nodes.";
    VALUE_STACK_PUSH_OVERFLOW = 1117, "Value stack push overflow.";
    MAX_DEPENDENCY_DEPTH_REACHED = 1118, "Max dependency depth reached.";
    MAX_FUNCTION_DEFINITIONS_REACHED = 1119, "Max function definitions reached.";
    MAX_STRUCT_DEFINITIONS_REACHED = 1120, "Max struct definitions reached.";
    MAX_FIELD_DEFINITIONS_REACHED = 1121, "Max field definitions reached.";
    TOO_MANY_BACK_EDGES = 1122, "Too many back edges.";
    EVENT_METADATA_VALIDATION_ERROR = 1123, "Event metadata validation error.";
    DEPENDENCY_LIMIT_REACHED = 1124, "Dependency limit reached.";
    UNSTABLE_BYTECODE_REJECTED = 1125, "Unstable bytecode rejected.";
    PROGRAM_TOO_COMPLEX = 1126, "Program too complex.";
    USER_DEFINED_NATIVE_NOT_ALLOWED = 1127, "User defined native not allowed.";
    MAX_STRUCT_VARIANTS_REACHED = 1128, "Max struct variants reached.";
    TEST_VARIANT_TYPE_MISMATCH_ERROR = 1129, "Test variant type mismatch error.";
    ZERO_VARIANTS_ERROR = 1130, "Zero variants error.";
    FEATURE_NOT_ENABLED = 1131, "Feature not enabled.";
    INVALID_CLOSURE_MASK = 1132, "Invalid closure mask.";
    CLOSURE_CALL_REQUIRES_FUNCTION = 1133, "Closure call requires function.";
    INVALID_INIT_MODULE = 1134, "Invalid init module.";
    FRIEND_NOT_FOUND_IN_MODULE_BUNDLE = 1135, "Friend not found in module bundle.";
    INVALID_STRUCT_API_CODE = 1136, "Invalid struct api code.";
    IMMUTABLE_FUNCTION_CALLS_NON_IMMUTABLE = 1137, "Immutable function calls non immutable.";
    INVALID_CONST_API_CODE = 1138, "Invalid const api code.";
    RESERVED_VERIFICATION_ERROR_1 = 1139, "Reserved verification error 1.";
    RESERVED_VERIFICATION_ERROR_2 = 1140, "Reserved verification error 2.";
    RESERVED_VERIFICATION_ERROR_3 = 1141, "Reserved verification error 3.";
    RESERVED_VERIFICATION_ERROR_4 = 1142, "Reserved verification error 4.";
    UNKNOWN_INVARIANT_VIOLATION_ERROR = 2000, "Unknown invariant violation error.";
    EMPTY_VALUE_STACK = 2003, "Empty value stack.";
    PC_OVERFLOW = 2005, "Pc overflow.";
    VERIFICATION_ERROR = 2006, "Verification error.";
    STORAGE_ERROR = 2008, "Storage error.";
    INTERNAL_TYPE_ERROR = 2009, "Internal type error.";
    EVENT_KEY_MISMATCH = 2010, "Event key mismatch.";
    UNREACHABLE = 2011, "Unreachable.";
    VM_STARTUP_FAILURE = 2012, "Vm startup failure.";
    UNEXPECTED_ERROR_FROM_KNOWN_MOVE_FUNCTION = 2015, "Unexpected error from known move function.";
    VERIFIER_INVARIANT_VIOLATION = 2016, "Verifier invariant violation.";
    UNEXPECTED_VERIFIER_ERROR = 2017, "Unexpected verifier error.";
    UNEXPECTED_DESERIALIZATION_ERROR = 2018, "Unexpected deserialization error.";
    FAILED_TO_SERIALIZE_WRITE_SET_CHANGES = 2019, "Failed to serialize write set changes.";
    FAILED_TO_DESERIALIZE_RESOURCE = 2020, "Failed to deserialize resource.";
    TYPE_RESOLUTION_FAILURE = 2021, "Type resolution failure.";
    DUPLICATE_NATIVE_FUNCTION = 2022, "Duplicate native function.";
    DELAYED_FIELD_OR_BLOCKSTM_CODE_INVARIANT_ERROR = 2023, "Delayed field or blockstm code invariant error.";
    SPECULATIVE_EXECUTION_ABORT_ERROR = 2024, "Speculative execution abort error.";
    ACCESS_CONTROL_INVARIANT_VIOLATION = 2025, "Access control invariant violation.";
    RESERVED_INVARIANT_VIOLATION_ERROR_1 = 2026, "Reserved invariant violation error 1.";
    RESERVED_INVARIANT_VIOLATION_ERROR_2 = 2027, "Reserved invariant violation error 2.";
    RESERVED_INVARIANT_VIOLATION_ERROR_3 = 2028, "Reserved invariant violation error 3.";
    RESERVED_INVARIANT_VIOLATION_ERROR_4 = 2039, "Reserved invariant violation error 4.";
    RESERVED_INVARIANT_VIOLATION_ERROR_5 = 2040, "Reserved invariant violation error 5.";
    UNKNOWN_BINARY_ERROR = 3000, "Unknown binary error.";
    MALFORMED = 3001, "Malformed.";
    BAD_MAGIC = 3002, "Bad magic.";
    UNKNOWN_VERSION = 3003, "Unknown version.";
    UNKNOWN_TABLE_TYPE = 3004, "Unknown table type.";
    UNKNOWN_SIGNATURE_TYPE = 3005, "Unknown signature type.";
    UNKNOWN_SERIALIZED_TYPE = 3006, "Unknown serialized type.";
    UNKNOWN_OPCODE = 3007, "Unknown opcode.";
    BAD_HEADER_TABLE = 3008, "Bad header table.";
    UNEXPECTED_SIGNATURE_TYPE = 3009, "Unexpected signature type.";
    DUPLICATE_TABLE = 3010, "Duplicate table.";
    UNKNOWN_ABILITY = 3013, "Unknown ability.";
    UNKNOWN_NATIVE_STRUCT_FLAG = 3014, "Unknown native struct flag.";
    BAD_U16 = 3017, "Bad u16.";
    BAD_U32 = 3018, "Bad u32.";
    BAD_U64 = 3019, "Bad u64.";
    BAD_U128 = 3020, "Bad u128.";
    BAD_U256 = 3021, "Bad u256.";
    VALUE_SERIALIZATION_ERROR = 3022, "Value serialization error.";
    VALUE_DESERIALIZATION_ERROR = 3023, "Value deserialization error.";
    CODE_DESERIALIZATION_ERROR = 3024, "Code deserialization error.";
    INVALID_FLAG_BITS = 3025, "Invalid flag bits.";
    UNABLE_TO_CAPTURE_OPTION_TYPE = 3026, "Unable to capture option type.";
    RESERVED_DESERIALIZAION_ERROR_1 = 3027, "Reserved deserializaion error 1.";
    RESERVED_DESERIALIZAION_ERROR_2 = 3028, "Reserved deserializaion error 2.";
    RESERVED_DESERIALIZAION_ERROR_3 = 3029, "Reserved deserializaion error 3.";
    RESERVED_DESERIALIZAION_ERROR_4 = 3030, "Reserved deserializaion error 4.";
    RESERVED_DESERIALIZAION_ERROR_5 = 3031, "Reserved deserializaion error 5.";
    UNKNOWN_RUNTIME_STATUS = 4000, "Unknown runtime status.";
    EXECUTED = 4001, "Executed.";
    OUT_OF_GAS = 4002, "Out of gas.";
    RESOURCE_DOES_NOT_EXIST = 4003, "Resource does not exist.";
    RESOURCE_ALREADY_EXISTS = 4004, "Resource already exists.";
    MISSING_DATA = 4008, "Missing data.";
    DATA_FORMAT_ERROR = 4009, "Data format error.";
    ABORTED = 4016, "Aborted.";
    ARITHMETIC_ERROR = 4017, "Arithmetic error.";
    VECTOR_OPERATION_ERROR = 4018, "Vector operation error.";
    EXECUTION_STACK_OVERFLOW = 4020, "Execution stack overflow.";
    CALL_STACK_OVERFLOW = 4021, "Call stack overflow.";
    VM_MAX_TYPE_DEPTH_REACHED = 4024, "Vm max type depth reached.";
    VM_MAX_VALUE_DEPTH_REACHED = 4025, "Vm max value depth reached.";
    VM_EXTENSION_ERROR = 4026, "Vm extension error.";
    STORAGE_WRITE_LIMIT_REACHED = 4027, "Storage write limit reached.";
    MEMORY_LIMIT_EXCEEDED = 4028, "Memory limit exceeded.";
    VM_MAX_TYPE_NODES_REACHED = 4029, "Vm max type nodes reached.";
    EXECUTION_LIMIT_REACHED = 4030, "Execution limit reached.";
    IO_LIMIT_REACHED = 4031, "Io limit reached.";
    STORAGE_LIMIT_REACHED = 4032, "Storage limit reached.";
    TYPE_TAG_LIMIT_EXCEEDED = 4033, "Type tag limit exceeded.";
    ACCESS_DENIED = 4034, "Access denied.";
    ACCESS_STACK_LIMIT_EXCEEDED = 4035, "Access stack limit exceeded.";
    TOO_MANY_DELAYED_FIELDS = 4036, "Too many delayed fields.";
    RUNTIME_DISPATCH_ERROR = 4037, "Runtime dispatch error.";
    STRUCT_VARIANT_MISMATCH = 4038, "Struct variant mismatch.";
    UNIMPLEMENTED_FUNCTIONALITY = 4039, "Unimplemented functionality.";
    RUNTIME_CYCLIC_MODULE_DEPENDENCY = 4040, "Runtime cyclic module dependency.";
    UNABLE_TO_CAPTURE_DELAYED_FIELDS = 4041, "Unable to capture delayed fields.";
    INVALID_ABORT_MESSAGE = 4042, "Invalid abort message.";
    ABORT_MESSAGE_LIMIT_EXCEEDED = 4043, "Abort message limit exceeded.";
    RESERVED_RUNTIME_ERROR_1 = 4044, "Reserved runtime error 1.";
    RESERVED_RUNTIME_ERROR_2 = 4045, "Reserved runtime error 2.";
    RESERVED_RUNTIME_ERROR_3 = 4046, "Reserved runtime error 3.";
    UNKNOWN_STATUS = 0xffff_ffff_ffff_ffff, "Unknown status.";
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
