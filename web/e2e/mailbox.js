// A mail server that takes every mail and keeps it, for what people read in mails: links, and no secret.
import { once } from 'node:events';
import { createServer } from 'node:net';

export class Mailbox {
  mails = []; // as they came, encoded
  url; // for CREDENZA_SMTP_URL, without a user
  #server;

  static async listen() {
    const box = new Mailbox();
    box.#server = createServer((socket) => box.#talk(socket));
    box.#server.listen(0, '127.0.0.1');
    await once(box.#server, 'listening');
    box.url = `smtp://127.0.0.1:${box.#server.address().port}`;
    return box;
  }

  #talk(socket) {
    let [text, data] = ['', false];
    const say = (line) => socket.write(`${line}\r\n`);
    socket.on('error', () => {}).setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
      for (let end = text.indexOf(data ? '\r\n.\r\n' : '\r\n'); end >= 0; end = text.indexOf(data ? '\r\n.\r\n' : '\r\n')) {
        const line = text.slice(0, end);
        text = text.slice(end + (data ? 5 : 2));
        if (data) {
          this.mails.push(line);
          data = false;
          say('250 kept');
        } else if (/^(EHLO|HELO)/i.test(line)) say('250-127.0.0.1\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN');
        else if (/^DATA/i.test(line)) {
          data = true;
          say('354 go on');
        } else if (/^AUTH/i.test(line)) say('235 welcome');
        else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n');
        else say('250 fine');
      }
    });
    say('220 127.0.0.1');
  }

  /** The text of all mails, decoded as far as it takes to read it. */
  get text() {
    return this.mails.map((mail) => mail.replaceAll('=\r\n', '').replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)))).join('\n');
  }

  async close() {
    this.#server.close();
    await once(this.#server, 'close');
  }
}
