/** What can be said before or after every command. */
export interface Globals {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly colour: boolean;
  /** The folder to work in, as given; undefined: where tieup was started. */
  readonly folder: string | undefined;
}
