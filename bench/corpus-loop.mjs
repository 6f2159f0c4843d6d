export async function corpusLoop() { return 'x'; }
