import { join } from 'node:path';

/** Where the embedded server lives, in the data folder of an engine. */
export const serverFolderOf = (data: string): string => join(data, 'nats');
