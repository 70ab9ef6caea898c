/** More is asked for than can be answered in a reasonable time; the caller may try again. */
export class ServerBusy extends Error {
  override name = 'ServerBusy';
}
