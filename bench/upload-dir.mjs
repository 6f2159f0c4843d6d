// ssh2-sftp-client's own way to send a folder: node bench/upload-dir.mjs PORT USER KEY_FILE FROM TO
import { readFileSync } from 'node:fs';
import SftpClient from 'ssh2-sftp-client';

const [port, username, key = '', from = '', to = ''] = process.argv.slice(2);
const client = new SftpClient();
await client.connect({ host: '127.0.0.1', port: Number(port), username, privateKey: readFileSync(key) });
await client.uploadDir(from, to);
await client.end();
