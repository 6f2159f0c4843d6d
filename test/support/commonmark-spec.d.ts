/** The examples of the CommonMark Spec; their shape is checked where they are read. */
declare module 'commonmark-spec' {
  const spec: unknown;
  export default spec;
}
