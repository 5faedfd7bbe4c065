# SPDX-License-Identifier: Apache-2.0
"""curl in an instance, of nginx in another one, by address and by name, over HTTP and over TLS with a certificate authority of its own."""
import os
import subprocess

from programs import MANIFESTS, ProgramTest, main, need_installed

CURL = "/usr/bin/curl"
SERVER_IP = "10.77.0.200"
NAME = "shop.test"
TLS = """
	server {
		listen 443 ssl;
		server_name shop.test;
		ssl_protocols TLSv1.2 TLSv1.3;
		ssl_certificate /etc/nginx/cert;
		ssl_certificate_key /etc/nginx/key;
		root /srv/www;
	}
"""


def openssl(*words, **more):
    subprocess.run(["openssl", *words], check=True, capture_output=True, **more)


def certificates(folder):
    """An authority (ca), and a certificate of it for NAME (cert, key)."""
    path = lambda name: os.path.join(folder, name)  # noqa: E731
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test authority",
            "-keyout", path("ca.key"), "-out", path("ca"))
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={NAME}", "-keyout", path("key"),
            "-out", path("request"))
    with open(path("names"), "w", encoding="ascii") as f:
        f.write(f"subjectAltName=DNS:{NAME}\n")
    openssl("x509", "-req", "-in", path("request"), "-CA", path("ca"), "-CAkey", path("ca.key"), "-CAcreateserial", "-days", "2",
            "-extfile", path("names"), "-out", path("cert"))


@need_installed(CURL, "/usr/sbin/nginx", "openssl")
class Curl(ProgramTest):
    def server(self):
        """nginx at SERVER_IP with a page, its own on 80 and the same over TLS on 443."""
        self.page = os.urandom(3000).hex()
        folder = self.folder(page=self.page)
        certificates(folder)
        with open(os.path.join(MANIFESTS, "nginx", "nginx.conf"), encoding="utf-8") as f:
            conf = f.read().rstrip().rstrip("}") + TLS + "}\n"
        with open(os.path.join(folder, "conf"), "w", encoding="utf-8") as f:
            f.write(conf)
        with open(os.path.join(folder, "m.yaml"), "w", encoding="utf-8") as f:
            f.write("name: shop\nprogram: /usr/sbin/nginx\nfiles:\n" + "".join(
                f"  - {{from: {a}, to: {b}}}\n" for a, b in (
                    ("conf", "/etc/nginx/nginx.conf"), ("/etc/nginx/mime.types", "/etc/nginx/mime.types"), ("cert", "/etc/nginx/cert"),
                    ("key", "/etc/nginx/key"), ("page", "/srv/www/page"))) + "ports: [80, 443]\nreadiness: {tcp: 443}\n")
        self.start(self.build(os.path.join(folder, "m.yaml")), ip_address=SERVER_IP)
        return folder

    def client(self, folder):
        """The example's manifest with our authority beside Debian's, and the server's name in /etc/hosts."""
        with open(os.path.join(folder, "hosts"), "w", encoding="ascii") as f:
            f.write(f"127.0.0.1 localhost\n{SERVER_IP} {NAME} other.test\n")
        with open(os.path.join(MANIFESTS, "curl.yaml"), encoding="utf-8") as f:
            text = f.read() + "  - {from: ca, to: /etc/ssl/test-ca}\n  - {from: hosts, to: /etc/hosts}\n"
        with open(os.path.join(folder, "curl.yaml"), "w", encoding="utf-8") as f:
            f.write(text)
        return self.build(os.path.join(folder, "curl.yaml"))

    def test_http_and_https(self):
        folder = self.server()
        image = self.client(folder)

        def curl(*words, status=0):
            return self.output(image, CURL, "-sS", "--max-time", "60", *words, status=status)

        self.assertRegex(self.output(image), r"^curl 7\.")
        self.assertEqual(curl(f"http://{SERVER_IP}/page"), self.page)
        self.assertEqual(curl(f"http://{NAME}/page"), self.page)
        self.assertEqual(curl("--cacert", "/etc/ssl/test-ca", f"https://{NAME}/page"), self.page)
        for version in ("--tlsv1.2", "--tlsv1.3"):
            self.assertEqual(curl("--cacert", "/etc/ssl/test-ca", version, "-o", "/dev/null", "-w", "%{http_code}\n",
                                  f"https://{NAME}/none"), "404\n")
        # not one of Debian's authorities; not its name; no such name; nobody there
        self.assertIn("certificate", curl(f"https://{NAME}/page", status=60))
        self.assertIn("other.test", curl("--cacert", "/etc/ssl/test-ca", "https://other.test/page", status=60))
        self.assertIn("none.test", curl("http://none.test/", status=6))
        curl(f"http://{NAME}:81/", status=7)


if __name__ == "__main__":
    main()
