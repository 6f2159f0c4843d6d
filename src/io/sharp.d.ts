/** What tieup uses of sharp, so that it compiles where that optional package is not installed. */
declare module 'sharp' {
  interface Picture {
    /** Upright, as the camera's data say. */
    rotate(): Picture;
    resize(size: { readonly width: number; readonly withoutEnlargement: boolean }): Picture;
    withMetadata(data: { readonly orientation: number }): Picture;
    png(): Picture;
    jpeg(): Picture;
    webp(): Picture;
    toBuffer(): Promise<Buffer>;
  }
  interface Blank {
    readonly create: {
      readonly width: number;
      readonly height: number;
      readonly channels: 3 | 4;
      readonly background: string;
    };
  }
  interface Sharp {
    (input: Uint8Array | Blank, options?: { readonly failOn: 'error' }): Picture;
    readonly versions: { readonly vips: string; readonly sharp?: string };
  }
  const sharp: Sharp;
  export default sharp;
}
