// Asks one HTTPS address the way a customer would and says everything that is wrong with the answer.
// Runs as a CloudWatch Synthetics canary; a thrown error is a failed run.
'use strict';

const https = require('https');

const TWO_YEARS = 63072000;
const SOON_DAYS = 14;
const PATIENCE_MS = 10000;

/** Every reason why the answer is not good enough; none if it is. */
function problems(answer, now) {
  const found = [];
  if (answer.status !== 200) {
    found.push(`status is ${answer.status}, not 200`);
  }
  if (!['TLSv1.2', 'TLSv1.3'].includes(answer.protocol)) {
    found.push(`protocol is ${answer.protocol}, older than TLSv1.2`);
  }
  const days = Math.floor((new Date(answer.certificateEnds).getTime() - now.getTime()) / 86400000);
  if (!(days >= SOON_DAYS)) {
    found.push(`certificate ends in ${days} days; it should have been renewed by now`);
  }
  const hsts = String(answer.headers['strict-transport-security'] || '');
  const age = Number((/max-age=(\d+)/.exec(hsts) || [])[1] || 0);
  if (age < TWO_YEARS || !/includesubdomains/i.test(hsts) || !/preload/i.test(hsts)) {
    found.push(`strict-transport-security is "${hsts}", less than two years with subdomains and preload`);
  }
  return found;
}

/** Status, headers and connection of one GET; rejects on a broken chain, a wrong name or no answer in time. */
function ask(url, options) {
  return new Promise((resolve, reject) => {
    const request = https.get(url, { timeout: PATIENCE_MS, agent: false, ...options }, (response) => {
      const { socket } = response;
      const answer = {
        status: response.statusCode,
        headers: response.headers,
        protocol: socket.getProtocol(),
        certificateEnds: socket.getPeerCertificate().valid_to,
      };
      response.on('end', () => resolve(answer));
      response.on('error', reject);
      response.resume();
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)));
    request.on('error', reject);
  });
}

exports.problems = problems;
exports.ask = ask;
exports.handler = async () => {
  const url = process.env.URL_TO_CHECK;
  const found = problems(await ask(url), new Date());
  if (found.length > 0) {
    throw new Error(`${url}: ${found.join('; ')}`);
  }
  return `${url}: good`;
};
