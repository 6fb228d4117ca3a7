// Prints the notifications of a user as they arrive: node examples/live.mjs <access token> [url]
import { io } from 'socket.io-client';

const [token, url = 'http://localhost:3000'] = process.argv.slice(2);
const socket = io(`${url}/notifications`, { transports: ['websocket'], auth: { token } });

socket.on('connect', () => console.log('connected'));
socket.on('connect_error', (error) => console.error(`refused: ${error.message}`));
socket.on('unread_count', ({ unread_count }) => console.log(`${unread_count} unread`));
socket.on('notification.created', ({ title, unread_count }) =>
  console.log(`${title} (${unread_count} unread)`),
);
