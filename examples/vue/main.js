import { createApp } from 'vue';
import App from './App.vue';

const INBOX = '/inbox.js';

void import(/* @vite-ignore */ INBOX);
createApp(App).mount('#app');
