/** Reading BCS: the few shapes that source maps need. */

/** Bytes that are not what they were taken for. */
export class BcsError extends Error {
  override readonly name = 'BcsError';
}

const text = new TextDecoder('utf-8', { fatal: true });

/** A cursor over bytes. Every read checks its bounds and throws {@link BcsError}. */
export class BcsReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  #advance(size: number): number {
    if (size > this.left) throw new BcsError(`${size} bytes expected at ${this.#at}, ${this.left} left`);
    const at = this.#at;
    this.#at += size;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  bool(): boolean {
    const byte = this.u8();
    if (byte > 1) throw new BcsError(`not a bool: ${byte}`);
    return byte === 1;
  }

  /** A length: ULEB128 of at most 31 bits. */
  length(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0x7fff_ffff) break;
        return value;
      }
    }
    throw new BcsError('a length is too large');
  }

  take(size: number): Uint8Array {
    const at = this.#advance(size);
    return this.#bytes.subarray(at, at + size);
  }

  string(): string {
    try {
      return text.decode(this.take(this.length()));
    } catch (error) {
      if (error instanceof BcsError) throw error;
      throw new BcsError('a string is not UTF-8');
    }
  }

  /** Elements one after the other; `least` bytes each, so that a wrong length is found before anything is made. */
  vector<T>(least: number, element: () => T): T[] {
    const length = this.length();
    if (length * least > this.left) throw new BcsError(`${length} elements do not fit ${this.left} bytes`);
    return Array.from({ length }, element);
  }

  option<T>(element: () => T): T | undefined {
    return this.bool() ? element() : undefined;
  }

  /** Nothing may be left. */
  end(): void {
    if (this.left > 0) throw new BcsError(`${this.left} bytes behind the end`);
  }
}
