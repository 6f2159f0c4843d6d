/** Makes pictures smaller. */
export interface ImageSizer {
  /** Names what the bytes depend on beside the picture: the program and its version. */
  readonly version: string;
  /**
   * The picture in `width` pixels, upright, in its own format, without the data about place and camera.
   * @throws TIEUP_E_CONTENT when the bytes are no picture
   */
  resize(bytes: Uint8Array, width: number): Promise<Uint8Array>;
}
