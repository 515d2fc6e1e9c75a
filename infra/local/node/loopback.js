// Loaded into the Kinesis mock by NODE_OPTIONS=--require. The mock listens on every interface of
// the machine and stays behind when LocalStack is killed; neither is wanted.
const net = require("node:net");

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  if (typeof port !== "number") return listen.call(this, port, ...rest);
  return listen.call(this, port, "127.0.0.1", ...rest.filter((argument) => typeof argument !== "string"));
};

const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 500).unref();
