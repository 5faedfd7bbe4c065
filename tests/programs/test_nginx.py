# SPDX-License-Identifier: Apache-2.0
"""nginx as one process: small and large pages, ranges, keep-alive, errors, posts to nothing, many connections."""
import hashlib
import os
import re
import shutil

from programs import MANIFESTS, ProgramTest, main, need_installed

need_nginx = need_installed("/usr/sbin/nginx", "curl", "ab")


class Nginx(ProgramTest):
    sites = 0

    def site(self, server="", **files):
        """The example's manifest with pages of our own; server: more lines of its server section."""
        self.sites += 1
        folder = self.folder(f"site-{self.sites}", **files)
        shutil.copytree(os.path.join(MANIFESTS, "nginx"), os.path.join(folder, "nginx"))
        conf = os.path.join(folder, "nginx", "nginx.conf")
        with open(conf, encoding="utf-8") as f:
            text = f.read().replace("root /srv/www;", "root /srv/www;\n" + server)
        with open(conf, "w", encoding="utf-8") as f:
            f.write(text)
        more = "".join(f"\n  - {{from: {name}, to: /srv/www/{name}}}" for name in files)
        with open(os.path.join(MANIFESTS, "nginx.yaml"), encoding="utf-8") as f:
            text = f.read().replace("files:", "files:" + more)
        with open(os.path.join(folder, "nginx.yaml"), "w", encoding="utf-8") as f:
            f.write(text)
        self.vm = self.start(self.build(os.path.join(folder, "nginx.yaml")))
        return f"http://{self.vm['ip_address']}"

    def curl(self, *words, **more):
        return self.inside("curl", "-sS", "--max-time", "60", *words, **more)

    @need_nginx
    def test_example(self):
        self.vm = self.start(self.build("nginx"))
        said = self.curl("-i", f"http://{self.vm['ip_address']}/")
        self.assertRegex(said, r"^HTTP/1\.1 200 OK\nServer: nginx")
        self.assertIn("Content-Type: text/html", said)
        self.assertIn("Welcome to nginx!", said)
        self.stop(self.vm)

    @need_nginx
    def test_pages(self):
        page = os.urandom(200 << 10)
        url = self.site(page=page, small="<p>hello\n", empty="")
        self.assertEqual(self.curl(f"{url}/small"), "<p>hello\n")
        self.assertEqual(self.curl(f"{url}/empty"), "")
        for _ in range(3):
            got = self.curl(f"{url}/page", text=False)
            self.assertEqual(hashlib.sha256(got).digest(), hashlib.sha256(page).digest())
        self.assertEqual(self.curl("-r", "100000-100099", f"{url}/page", text=False), page[100000:100100])
        status = ("-o", "/dev/null", "-w", "%{http_code} %{size_download} %{num_connects}\n")
        self.assertRegex(self.curl(*status, f"{url}/none"), "^404 ")
        self.assertRegex(self.curl("-I", *status, f"{url}/page"), "^200 0 ")
        self.assertRegex(self.curl("-X", "POST", "--data-binary", "x" * 100, *status, f"{url}/small"), "^405 ")
        self.assertRegex(self.curl("--path-as-is", *status, f"{url}/../../etc/passwd"), "^400 ")
        # one connection for all
        said = self.curl(*status, f"{url}/small", *status, "--next", "-sS", *status, f"{url}/small")
        self.assertEqual([line.split()[2] for line in said.split("\n") if line], ["1", "0"])

    @need_nginx
    def test_proxy(self):
        """One in front of another: connections that are kept, bodies by way of a file, compression, a dead one behind."""
        page = os.urandom(300 << 10)
        body = os.path.join(self.d.folder, "body")
        with open(body, "wb") as f:
            f.write(os.urandom(2 << 20))
        behind = self.site(server="client_max_body_size 10m;\nlocation /back { return 200 $host:$request_method; }", page=page,
                           text="compress me " * 5000)
        back = self.vm
        front = self.site(server=f"client_max_body_size 10m; gzip on; gzip_types *; gzip_proxied any;\nlocation / {{ proxy_pass {behind}; "
                                 "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_connect_timeout 10s; }")
        for _ in range(3):
            self.assertEqual(self.curl(f"{front}/page", text=False), page)
        self.assertEqual(self.curl("--compressed", f"{front}/text"), "compress me " * 5000)
        self.assertLess(len(self.curl("-H", "Accept-Encoding: gzip", f"{front}/text", text=False)), 10000)
        self.assertRegex(self.curl("-T", body, f"{front}/back"), r"^[0-9.]+:PUT$")
        self.assertRegex(self.inside("ab", "-q", "-l", "-c", "20", "-n", "500", f"{front}/text"), r"Failed requests: +0\n")
        self.d.call("DELETE", f"/vm/{back['id']}?force=true")
        self.assertRegex(self.curl("-o", "/dev/null", "-w", "%{http_code}", f"{front}/page"), "^50[24]$")

    @need_installed("/usr/sbin/nginx", "ab")
    def test_many_connections(self):
        url = self.site(page="x" * 20000)
        for options in (("-c", "50", "-n", "1000"), ("-k", "-c", "50", "-n", "3000")):
            said = self.inside("ab", "-q", "-l", *options, f"{url}/page")
            self.assertRegex(said, rf"Complete requests: +{options[-1]}\n")
            self.assertRegex(said, r"Failed requests: +0\n")
            self.assertIsNone(re.search(r"Non-2xx", said), said)


if __name__ == "__main__":
    main()
