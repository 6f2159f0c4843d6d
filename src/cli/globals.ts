/** What can be said before or after every command. */
export interface Globals {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly colour: boolean;
  /** The folder to work in, as given; undefined: where tieup was started. */
  readonly folder: string | undefined;
  /** At a partner: `sftp://…`, the server that its folders lie on, instead of what tieup.yaml says. */
  readonly site: string | undefined;
}
