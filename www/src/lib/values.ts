/** Move values as text: one line for a cell, children for a tree. */

import type { FrameState, PlaceState, Value } from 'monomove';
import { toHex } from './hex';

/** `0x1::coin::Coin<0x1::m::T>` without addresses and modules: `Coin<T>`. */
export function shortType(type: string): string {
  return type.replace(/0x[0-9a-f]+::\w+::/gi, '');
}

/** An address with its middle left out. */
export function shortAddress(address: string): string {
  return address.length > 14 ? `${address.slice(0, 8)}…${address.slice(-4)}` : address;
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (char) => {
    return `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

function printable(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined;
  for (const byte of bytes) if (byte < 0x20 || byte > 0x7e) return undefined;
  return String.fromCharCode(...bytes);
}

/** A value on one line of at most about `room` characters. */
export function inline(value: Value, room = 80): string {
  const text = write(value, room);
  return text.length > room ? `${text.slice(0, Math.max(1, room - 1))}…` : text;
}

function list(open: string, items: readonly (() => string)[], close: string, room: number, more: boolean): string {
  let text = open;
  let rest = more;
  for (const [i, item] of items.entries()) {
    if (text.length > room) {
      rest = true;
      break;
    }
    text += (i > 0 ? ', ' : '') + item();
  }
  return `${text}${rest ? ', …' : ''}${close}`;
}

function fields(value: Extract<Value, { fields: unknown }>, room: number): string {
  if (value.fields.length === 0) return '';
  const items = value.fields.map((f) => () => `${f.name}: ${write(f.value, room >> 1)}`);
  return list(' { ', items, ' }', room, false);
}

function write(value: Value, room: number): string {
  switch (value.kind) {
    case 'bool':
      return value.value ? 'true' : 'false';
    case 'address':
    case 'signer':
      return `@${shortAddress(value.value)}`;
    case 'bytes': {
      const text = value.value.length <= 64 ? printable(value.value) : undefined;
      if (text !== undefined) return `b${quoted(text)}`;
      const shown = value.value.subarray(0, Math.max(8, room >> 1));
      return `0x${toHex(shown)}${shown.length < value.value.length ? '…' : ''}`;
    }
    case 'string':
      return quoted(value.value.slice(0, room + 1));
    case 'vector':
      return list(
        '[',
        value.elements.map((e) => () => write(e, room >> 1)),
        ']',
        room,
        value.elements.length < value.length,
      );
    case 'option':
      return value.value === null ? 'none' : `some(${write(value.value, room)})`;
    case 'struct':
      return `${shortType(value.type).replace(/<.*/, '')}${fields(value, room)}`;
    case 'enum':
      return `${value.variant}${fields(value, room)}`;
    case 'reference':
      return `→ ${write(value.target, room)}`;
    case 'function':
      return list(
        `${value.name.replace(/^0x[0-9a-f]+::/i, '')}(`,
        value.captured.map((c) => () => write(c, room >> 1)),
        value.captured.length > 0 ? ', …)' : ')',
        room,
        false,
      );
    case 'undecoded':
      return `0x${toHex(value.bytes.subarray(0, room >> 1))}`;
    default:
      return value.value.toString();
  }
}

export interface Child {
  readonly name: string;
  readonly value: Value;
}

/** What a value consists of, for a tree; empty for a leaf. */
export function children(value: Value): readonly Child[] {
  switch (value.kind) {
    case 'vector':
      return value.elements.map((e, i) => ({ name: `${i}`, value: e }));
    case 'struct':
    case 'enum':
      return value.fields;
    case 'option':
      return value.value === null ? [] : [{ name: 'some', value: value.value }];
    case 'function':
      return value.captured.map((c, i) => ({ name: `captured ${i}`, value: c }));
    case 'reference':
      return children(value.target);
    default:
      return [];
  }
}

/** Where an address lies, as a debugger's user would say it: a local of a frame, or the heap. */
export function whereIs(
  address: number,
  frames: readonly FrameState[],
  nameOf: (frame: number, place: PlaceState) => string,
): string {
  for (let i = frames.length - 1; i >= 0; i -= 1) {
    const frame = frames[i];
    if (frame === undefined || address < frame.address) continue;
    const offset = address - frame.address;
    for (const place of [...frame.locals, ...frame.operands]) {
      if (offset < place.slot || offset >= place.slot + place.size) continue;
      const inner = offset - place.slot;
      const at = inner === 0 ? '' : `+${inner}`;
      return `${nameOf(i, place)}${at}${i === frames.length - 1 ? '' : ` of frame ${i}`}`;
    }
  }
  return `heap 0x${address.toString(16)}`;
}

/** A number with thin spaces between groups of three digits. */
export function grouped(value: number | bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}
