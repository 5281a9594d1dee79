/** A longer frame is no frame. */
const LONGEST = 64 << 20;
const HEADER = 4;

/** A frame between agent and worker: the length of what follows (u32, little endian), and that many bytes of JSON. */
export function frame(json: string): Buffer {
  const length = Buffer.byteLength(json);
  const bytes = Buffer.allocUnsafe(HEADER + length);
  bytes.writeUInt32LE(length, 0);
  bytes.write(json, HEADER, 'utf8');
  return bytes;
}

/** Puts frames together again from pieces of any size. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  /** Pieces of a long frame that is under way: joined once, when it is whole. */
  #pieces: Buffer[] = [];
  #missing = 0;

  /**
   * The messages that are whole now.
   *
   * @throws RangeError or SyntaxError when these are no frames
   */
  read(piece: Buffer): unknown[] {
    if (this.#missing > piece.length) {
      this.#pieces.push(piece);
      this.#missing -= piece.length;
      return [];
    }
    let bytes = this.#pieces.length > 0 ? Buffer.concat([...this.#pieces, piece]) : piece;
    if (this.#rest.length > 0) bytes = Buffer.concat([this.#rest, bytes]);
    this.#pieces = [];
    this.#missing = 0;
    const messages: unknown[] = [];
    let at = 0;
    while (bytes.length - at >= HEADER) {
      const length = bytes.readUInt32LE(at);
      if (length > LONGEST) throw new RangeError(`a frame of ${length} bytes`);
      const end = at + HEADER + length;
      if (end > bytes.length) {
        this.#missing = end - bytes.length;
        break;
      }
      messages.push(JSON.parse(bytes.toString('utf8', at + HEADER, end)));
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return messages;
  }
}
