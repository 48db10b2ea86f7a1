/** Move values and arguments as JavaScript sees them. */

/** An account address as text: `0x` and 1 to 64 hexadecimal digits. What comes out is shortened (`0x1`), what goes in may be either. */
export type Address = `0x${string}`;

/** A type as text, in canonical form: `u64`, `vector<u8>`, `0x1::coin::Coin<0x1::m::T>`, `|u64|u64`; references begin with `&` or `&mut `. */
export type TypeText = string;

/** Names of the integer types that fit a JavaScript number. */
export type SmallInteger = 'u8' | 'u16' | 'u32' | 'i8' | 'i16' | 'i32';

/** Names of the integer types that are `bigint`s. */
export type BigInteger = 'u64' | 'u128' | 'u256' | 'i64' | 'i128' | 'i256';

/** A field of a struct or of the variant of an enum. */
export interface FieldValue {
  readonly name: string;
  readonly value: Value;
}

/** A decoded Move value. `kind` says which of them it is. */
export type Value =
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: SmallInteger; readonly value: number }
  | { readonly kind: BigInteger; readonly value: bigint }
  | { readonly kind: 'address' | 'signer'; readonly value: Address }
  /** `vector<u8>`. */
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  /** `0x1::string::String`. */
  | { readonly kind: 'string'; readonly value: string }
  /** `length` is the true length; `elements` may hold fewer of them (see {@link ValueLimits}). */
  | { readonly kind: 'vector'; readonly type: TypeText; readonly length: number; readonly elements: readonly Value[] }
  /** `0x1::option::Option`. */
  | { readonly kind: 'option'; readonly type: TypeText; readonly value: Value | null }
  | { readonly kind: 'struct'; readonly type: TypeText; readonly fields: readonly FieldValue[] }
  | { readonly kind: 'enum'; readonly type: TypeText; readonly variant: string; readonly fields: readonly FieldValue[] }
  /** A reference, in the state of a session: where it points, and the value there. */
  | {
      readonly kind: 'reference';
      readonly type: TypeText;
      readonly mutable: boolean;
      readonly address: number;
      readonly target: Value;
    }
  /** A function value, in the state of a session. */
  | { readonly kind: 'function'; readonly type: TypeText; readonly name: string; readonly captured: readonly Value[] }
  /** What cannot be decoded: its bytes. */
  | { readonly kind: 'undecoded'; readonly type: TypeText; readonly bytes: Uint8Array };

/** A value with its type and its BCS form. */
export interface TypedValue {
  readonly type: TypeText;
  readonly bcs: Uint8Array;
  readonly value: Value;
}

/**
 * A JavaScript value that stands for a Move value of a known type:
 *
 * | Move | JavaScript |
 * |---|---|
 * | `bool` | `boolean` |
 * | integers | `bigint`, a safe integer, or decimal text |
 * | `address`, `signer` | text `0x…` |
 * | `vector<u8>` | `Uint8Array`, an array, or text `0x…` |
 * | `0x1::string::String` | text |
 * | `vector<T>` | an array |
 * | `0x1::option::Option<T>` | `null`, or what stands for `T` |
 * | a struct | an object with its fields |
 * | an enum | an object with `$variant` and the fields of the variant |
 */
export type ValueInput =
  | boolean
  | number
  | bigint
  | string
  | null
  | Uint8Array
  | readonly ValueInput[]
  | { readonly [field: string]: ValueInput };

/**
 * An argument: a {@link ValueInput} for the parameter's type, `{ text }` in Aptos syntax (`u64:5`, `address:0x1`, `vector<u8>:0x00`, `hex:…`,
 * `string:…`), or `{ bcs }`, the encoded bytes. An object is one of the latter two only if that is its one key.
 */
export type Argument = ValueInput | { readonly text: string } | { readonly bcs: Uint8Array };

/** Bounds on what is decoded for showing. */
export interface ValueLimits {
  /** Elements of one vector. Default 256. */
  readonly elements?: number;
  /** Nesting. Default 32. */
  readonly depth?: number;
}
