/** Preloaded into a process and its workers: there the native executor cannot be loaded. */
process.dlopen = (_module, filename) => {
  throw new Error(`${filename}: cannot open shared object file`);
};
